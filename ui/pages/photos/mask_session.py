"""Edits of masks, without widgets: proposals by click, box or brush until they are saved or discarded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import gradio as gr
import numpy as np
from gradio.components.image_editor import EditorValue

from pipeline.domain.images import RGB, Mask
from pipeline.errors import InvalidRequest
from ui.components.overlays import enlarged, mask_overlay, painted_mask, view_factor, with_corner
from ui.components.session_store import SessionStore, session_of

if TYPE_CHECKING:
    from pipeline.studio import Studio

_PROPOSALS_KEPT = 8  # of a session
_BYTES_KEPT = 256_000_000  # of all sessions together
Corner = tuple[int, int]


def _proposal_store() -> SessionStore[Mask]:
    return SessionStore(
        per_session=_PROPOSALS_KEPT, most_bytes=_BYTES_KEPT, size_of=lambda mask: int(mask.nbytes)
    )


def _corner_store() -> SessionStore[Corner]:
    return SessionStore(per_session=1, most_bytes=10_000, size_of=lambda _: 1)


@dataclass(frozen=True, slots=True)
class MaskEditing:
    """Proposed masks, one for each session and photo, until they are saved or discarded."""

    studio: Studio
    proposals: SessionStore[Mask] = field(default_factory=_proposal_store)
    corners: SessionStore[Corner] = field(default_factory=_corner_store)  # the first corner of a box

    def view(self, photo_id: str, view: str, request: gr.Request) -> RGB:
        """Return the large image in one of its views (mask, photo, cutout), with the proposal if there is one."""
        photo = self.studio.library.photos.get(photo_id)
        mask = self._mask(photo_id, request)
        if view == "cutout":
            return enlarged(self.studio.photos.cutout_preview(photo_id))
        pixels = self.studio.library.images.read(photo.image_id)
        return enlarged(pixels) if view == "photo" else mask_overlay(pixels, mask)

    def editor(self, photo_id: str, request: gr.Request) -> EditorValue:
        """Return the value of the brush editor: the mask over the photo, no strokes yet."""
        return {"background": self.view(photo_id, "mask", request), "layers": [], "composite": None}

    def click(self, photo_id: str, tool: str, event: gr.SelectData, request: gr.Request) -> RGB:
        """Apply a click into the image with the tool add, remove or box; return the image after it."""
        shown = (int(event.index[0]), int(event.index[1]))
        before = self._mask(photo_id, request)
        factor = view_factor(before.shape)
        point = (shown[0] // factor, shown[1] // factor)
        if tool == "box":
            return self._corner(photo_id, point, shown, request)
        mask = self.studio.photos.mask_from_click(photo_id, point, add=tool == "add", mask=before)
        return self._propose(photo_id, mask, request)

    def brush(self, photo_id: str, drawing: EditorValue | None, request: gr.Request) -> RGB:
        """Apply the strokes of the editor; return the image after them."""
        layers = drawing["layers"] if drawing else None
        mask = painted_mask([np.asarray(layer) for layer in layers or []], self._mask(photo_id, request))
        return self._propose(photo_id, mask, request)

    def save(self, photo_id: str, request: gr.Request) -> None:
        """Store the proposal as the photo's mask.

        Raises:
            InvalidRequest: nothing has been proposed.
        """
        session = session_of(request)
        mask = self.proposals.get(session, photo_id)
        if mask is None:
            raise InvalidRequest("nothing has changed; edit the mask first, or go to the next photo")
        self.studio.photos.save_mask(photo_id, mask)
        self.proposals.remove(session, photo_id)

    def discard(self, photo_id: str, request: gr.Request) -> None:
        """Forget the proposal."""
        session = session_of(request)
        self.proposals.remove(session, photo_id)
        self.corners.forget(session)

    def _corner(self, photo_id: str, point: Corner, shown: Corner, request: gr.Request) -> RGB:
        session = session_of(request)
        first = self.corners.get(session, photo_id)
        if first is None:
            self.corners.put(session, photo_id, point)
            return with_corner(self.view(photo_id, "mask", request), shown)
        self.corners.remove(session, photo_id)
        (x0, x1), (y0, y1) = sorted((first[0], point[0])), sorted((first[1], point[1]))
        mask = self.studio.photos.mask_from_box(photo_id, (x0, y0, x1 + 1, y1 + 1))
        return self._propose(photo_id, mask, request)

    def _mask(self, photo_id: str, request: gr.Request) -> Mask:
        proposal = self.proposals.get(session_of(request), photo_id)
        return self.studio.photos.mask(photo_id) if proposal is None else proposal

    def _propose(self, photo_id: str, mask: Mask, request: gr.Request) -> RGB:
        self.proposals.put(session_of(request), photo_id, mask)
        return self.view(photo_id, "mask", request)
