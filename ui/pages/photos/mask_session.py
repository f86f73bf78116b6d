"""Mending masks, without widgets: proposals by click, box or brush until they are saved or dropped."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from pipeline.domain.images import RGB, Mask
from pipeline.errors import InvalidRequest
from ui.components.overlays import enlarged, mask_overlay, painted_mask, view_factor, with_corner

if TYPE_CHECKING:
    from pipeline.studio import Studio

_KEPT_PROPOSALS = 32
Key = tuple[str, str]  # session, subject id


@dataclass(frozen=True, slots=True)
class Mending:
    """Proposals for masks, one a session and subject, until they are saved or dropped."""

    studio: Studio
    proposals: OrderedDict[Key, Mask] = field(default_factory=OrderedDict)
    corners: dict[str, tuple[int, int]] = field(default_factory=dict)  # session → first corner of a box

    def picture(self, subject_id: str, view: str, request: gr.Request) -> RGB:
        """The large picture in one of its views, with the proposal where there is one."""
        subject = self.studio.library.photos.get(subject_id)
        mask = self._mask(subject_id, request)
        if view == "cutout":
            return enlarged(self.studio.photos.cutout_preview(subject_id))
        photo = self.studio.library.images.read(subject.photo_id)
        return enlarged(photo) if view == "photo" else mask_overlay(photo, mask)

    def editor(self, subject_id: str, request: gr.Request) -> dict[str, Any]:
        """The value of the brush editor: the mask over the photo, no strokes yet."""
        return {"background": self.picture(subject_id, "mask", request), "layers": [], "composite": None}

    def click(self, subject_id: str, tool: str, event: gr.SelectData, request: gr.Request) -> RGB:
        """A click into the picture with the tool add, remove or box; the picture after it."""
        shown = (int(event.index[0]), int(event.index[1]))
        factor = view_factor(self._mask(subject_id, request).shape)
        point = (shown[0] // factor, shown[1] // factor)
        if tool == "box":
            return self._corner(subject_id, point, shown, request)
        before = self._mask(subject_id, request)
        self._propose(
            subject_id,
            self.studio.photos.mask_from_click(subject_id, point, add=tool == "add", mask=before),
            request,
        )
        return self.picture(subject_id, "mask", request)

    def brush(self, subject_id: str, drawn: dict[str, Any] | None, request: gr.Request) -> RGB:
        """Apply the strokes of the editor."""
        layers = [np.asarray(layer) for layer in (drawn or {}).get("layers") or [] if layer is not None]
        painted = painted_mask(layers, self._mask(subject_id, request))
        self._propose(subject_id, painted, request)
        return self.picture(subject_id, "mask", request)

    def save(self, subject_id: str, request: gr.Request) -> None:
        """Store the proposal as the subject's mask."""
        key = (str(request.session_hash), subject_id)
        if key not in self.proposals:
            raise InvalidRequest("nothing has changed; mend the mask first, or go to the next photograph")
        self.studio.photos.save_mask(subject_id, self.proposals[key])
        del self.proposals[key]

    def drop(self, subject_id: str, request: gr.Request) -> None:
        """Forget the proposal."""
        self.proposals.pop((str(request.session_hash), subject_id), None)
        self.corners.pop(str(request.session_hash), None)

    def _corner(
        self, subject_id: str, point: tuple[int, int], shown: tuple[int, int], request: gr.Request
    ) -> RGB:
        session = str(request.session_hash)
        first = self.corners.pop(session, None)
        if first is None:
            self.corners[session] = point
            return with_corner(self.picture(subject_id, "mask", request), shown)
        (x0, x1), (y0, y1) = sorted((first[0], point[0])), sorted((first[1], point[1]))
        self._propose(
            subject_id, self.studio.photos.mask_from_box(subject_id, (x0, y0, x1 + 1, y1 + 1)), request
        )
        return self.picture(subject_id, "mask", request)

    def _mask(self, subject_id: str, request: gr.Request) -> Mask:
        kept = self.proposals.get((str(request.session_hash), subject_id))
        return self.studio.photos.mask(subject_id) if kept is None else kept

    def _propose(self, subject_id: str, mask: Mask, request: gr.Request) -> None:
        self.proposals[(str(request.session_hash), subject_id)] = mask
        while len(self.proposals) > _KEPT_PROPOSALS:
            self.proposals.popitem(last=False)
