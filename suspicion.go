package keepwatch

import (
	"slices"
	"time"
)

// Thresholds of Suspect. They are about loss: a source that grew is nobody's
// emergency, one that shrank may be the day on which the good archives are the
// last ones. A source that has become empty is always a finding, however small
// it was: that is what a folder looks like whose disk is not mounted.
const (
	suspectReach = 10   // how many archives back it looks; one is enough, for a policy may keep no more
	nearlyEmpty  = 20   // "nearly empty": under a twentieth of the usual bytes
	farFewer     = 2    // "far fewer": under half of the usual files or bytes
	fewFiles     = 4    // below so many items halves happen every day
	fewBytes     = 4096 // likewise; a twentieth and nothing at all are no matter of size
)

// Suspect compares an archive with the verified ones of the same source and
// parts before it, and says in figures how it is unlike them: empty or nearly
// so, far fewer files, far less data, more that could not be read or could be
// read only in part. While the newest archive has findings that nobody has
// accepted, nothing of its source is pruned.
func Suspect(a Archive, history []Archive) []Finding {
	var items, bytes []int64
	var unread, half int64 // the most that was met before, so that what comes and goes is told of once
	sorted := slices.Clone(history)
	slices.SortStableFunc(sorted, func(x, y Archive) int { return y.Started.Compare(x.Started) })
	for _, h := range sorted {
		usual := h.Source == a.Source && h.Ref() != a.Ref() && h.IsVerified() && h.Started.Before(a.Started) &&
			h.groupKey() == a.groupKey() && (len(h.Findings) == 0 || h.Accepted != "")
		if !usual {
			continue
		}
		items, bytes = append(items, h.Items), append(bytes, h.Bytes)
		unread, half = max(unread, h.Counts[NoteUnreadable]), max(half, h.Counts[NoteHalf])
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
	usualBytes, usualItems := median(bytes), median(items)
	switch {
	case usualBytes > 0 && a.Bytes == 0:
		add("empty", "It is empty: %s, where %s are usual.", FormatBytes(a.Bytes), FormatBytes(usualBytes))
	case a.Bytes < usualBytes/nearlyEmpty:
		add("empty", "It is nearly empty: %s, where %s are usual.", FormatBytes(a.Bytes), FormatBytes(usualBytes))
	case usualBytes >= fewBytes && a.Bytes < usualBytes/farFewer:
		add("shrunk", "It holds far less than usual: %s instead of %s.", FormatBytes(a.Bytes), FormatBytes(usualBytes))
	}
	if usualItems > 0 && a.Items == 0 || usualItems >= fewFiles && a.Items < usualItems/farFewer {
		add("fewer", "It has far fewer items than usual: %s instead of %s.", FormatCount(a.Items, ""), FormatCount(usualItems, ""))
	}
	if n := a.Counts[NoteUnreadable]; n > unread {
		add("unreadable", "More than usual could not be read: %s instead of %s.", FormatCount(n, "item"), FormatCount(unread, ""))
	}
	if n := a.Counts[NoteHalf]; n > half {
		add("half", "%s could be read only in part and zeros stand for the rest; the older archives may hold all of it. Before it that was so of %s.", FormatCount(n, "file"), FormatCount(half, ""))
	}
	return found
}

// Paused reports whether nothing of a source may be pruned: the newest verified
// archive of some parts of it, which is given, is suspiciously unlike its history
// and nobody has accepted that. One whose date lies in the future of now does not
// count, here as little as for Decide: it would hide every one that is made
// until then.
func Paused(archives []Archive, now time.Time) (Archive, bool) {
	newest := map[string]Archive{}
	for _, a := range archives {
		if key := a.groupKey(); a.IsVerified() && !a.Started.After(now) && a.Started.After(newest[key].Started) {
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
