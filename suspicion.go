package keepwatch

import "slices"

// Thresholds of Suspect. They are about loss: a source that grew is nobody's
// emergency, one that shrank may be the day on which the good archives are the
// last ones.
const (
	suspectReach = 10  // how many archives back it looks; one is enough, for a policy may keep no more
	nearlyEmpty  = 20  // "nearly empty": under a twentieth of the usual bytes
	farFewer     = 2   // "far fewer": under half of the usual files or bytes
	fewFiles     = 10  // below so many files halves happen every day
	fewBytes     = 100 // KiB; likewise
)

// Suspect compares an archive with the verified ones of the same source and
// parts before it, and says in figures how it is unlike them: nearly empty, far
// fewer files, far less data, far more that could not be read. While the newest
// archive has findings that nobody has accepted, nothing of its source is pruned.
func Suspect(a Archive, history []Archive) []Finding {
	var items, bytes, unread []int64
	sorted := slices.Clone(history)
	slices.SortStableFunc(sorted, func(x, y Archive) int { return y.Started.Compare(x.Started) })
	for _, h := range sorted {
		usual := h.Source == a.Source && h.Ref() != a.Ref() && h.IsVerified() && h.Started.Before(a.Started) &&
			h.partsKey() == a.partsKey() && (len(h.Findings) == 0 || h.Accepted != "")
		if !usual {
			continue
		}
		items, bytes, unread = append(items, h.Items), append(bytes, h.Bytes), append(unread, h.Counts[NoteUnreadable])
		if len(items) == suspectReach || h.Accepted != "" {
			break
		}
	}
	if len(items) == 0 {
		return nil
	}
	var found []Finding
	add := func(rule, text string, args ...any) {
		found = append(found, Finding{Rule: rule, What: a.Ref(), Text: Errorf(KindAttention, text, args...).Message})
	}
	usualBytes, usualItems, usualUnread := median(bytes), median(items), median(unread)
	switch {
	case usualBytes >= fewBytes<<10 && a.Bytes < usualBytes/nearlyEmpty:
		add("empty", "It is nearly empty: %s, where %s are usual.", FormatBytes(a.Bytes), FormatBytes(usualBytes))
	case usualBytes >= fewBytes<<10 && a.Bytes < usualBytes/farFewer:
		add("shrunk", "It holds far less than usual: %s instead of %s.", FormatBytes(a.Bytes), FormatBytes(usualBytes))
	}
	if usualItems >= fewFiles && a.Items < usualItems/farFewer {
		add("fewer", "It has far fewer items than usual: %s instead of %s.", FormatCount(a.Items, ""), FormatCount(usualItems, ""))
	}
	if n := a.Counts[NoteUnreadable]; n > usualUnread && n-usualUnread > max(a.Items/20, fewFiles) {
		add("unreadable", "Far more than usual could not be read: %s instead of %s.", FormatCount(n, "item"), FormatCount(usualUnread, ""))
	}
	return found
}

// Paused reports whether nothing of a source may be pruned: the newest verified
// archive of some parts of it, which is given, is suspiciously unlike its history
// and nobody has accepted that.
func Paused(archives []Archive) (Archive, bool) {
	newest := map[string]Archive{}
	for _, a := range archives {
		if key := a.partsKey(); a.IsVerified() && a.Started.After(newest[key].Started) {
			newest[key] = a
		}
	}
	var worst Archive
	for _, a := range newest {
		if len(a.Findings) > 0 && a.Accepted == "" && a.Started.After(worst.Started) {
			worst = a
		}
	}
	return worst, len(worst.Findings) > 0
}

// median gives the middle value; of an even number, the lower of the two.
func median(v []int64) int64 {
	s := slices.Clone(v)
	slices.Sort(s)
	return s[(len(s)-1)/2]
}
