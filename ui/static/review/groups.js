// Groups of near-duplicates among the entries of a list, which holds the entries of a group one after the other.

// Returns { band, best } for each entry: bands alternate from group to group, and the best entry of a group is its first
// accepted one, else its first undecided one.
export function groupMarks(entries) {
  const marks = [];
  for (let start = 0, band = 0, end; start < entries.length; start = end, band = 1 - band) {
    end = start + 1;
    while (end < entries.length && entries[end].cluster === entries[start].cluster) end += 1;
    const group = entries.slice(start, end);
    const best = group.find((entry) => entry.state === 'accepted') ?? group.find((entry) => entry.state === 'pending');
    for (const entry of group) marks.push({ band, best: group.length > 1 && entry === best });
  }
  return marks;
}
