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
	nearlyEmpty = 20   // "nearly empty": under a twentieth of the most bytes before
	farFewer    = 2    // "far fewer": under half of the most items or bytes before
	fewFiles    = 4    // below so many items halves happen every day
	fewBytes    = 4096 // likewise; a twentieth and nothing at all are no matter of size
)

// Peak is the most that archives of one thing have held before one of them,
// since a person last said that one is right. It is kept with each archive, so
// that the one that held the most is not forgotten when the rules remove it:
// otherwise a source could shrink by a little less than half for ever, and with
// few archives kept nobody would be told.
type Peak struct {
	Since time.Time `json:"since,omitzero"` // the start of the archive that was said to be right; zero: nobody has said so of any
	Items int64     `json:"items,omitempty"`
	Bytes int64     `json:"bytes,omitempty"`
	Files int64     `json:"files,omitempty"` // inside those that are stored as one file
}

// atLeast raises a peak.
func (p *Peak) atLeast(items, bytes, files int64) {
	p.Items, p.Bytes, p.Files = max(p.Items, items), max(p.Bytes, bytes), max(p.Files, files)
}

// PeakOf gives the peak before an archive, out of those that are left and of
// what they remember of those that are not. What lies before an archive that
// somebody accepted does not count, and that archive does: from then on it is
// what is right. Archives of changes have none, and are nobody's measure.
func PeakOf(a Archive, history []Archive) Peak {
	if a.Base != "" {
		return Peak{}
	}
	before := earlier(a, history)
	peak := Peak{Since: a.Peak.Since}
	for _, h := range before {
		since := h.Peak.Since
		if h.Accepted != "" {
			since = h.Started
		}
		if since.After(peak.Since) {
			peak.Since = since
		}
	}
	if a.Peak.Since.Equal(peak.Since) {
		peak.atLeast(a.Peak.Items, a.Peak.Bytes, a.Peak.Files)
	}
	for _, h := range before {
		if h.Started.Before(peak.Since) {
			continue
		}
		peak.atLeast(h.Items, h.Bytes, filesInside(h))
		if h.Peak.Since.Equal(peak.Since) { // else it is of what was before
			peak.atLeast(h.Peak.Items, h.Peak.Bytes, h.Peak.Files)
		}
	}
	return peak
}

// earlier gives the verified whole archives of the same path and parts that were begun
// before an archive, newest first. Where there are none, those of the source from
// before archives knew their path stand for them, so that the first backup after an
// upgrade is weighed against something.
func earlier(a Archive, history []Archive) []Archive {
	var list, unknown []Archive
	for _, h := range history {
		if !h.IsVerified() || h.Base != "" || !h.Started.Before(a.Started) {
			continue
		}
		of := h
		if of.Path == "" {
			of.Path = a.Path
		}
		switch {
		case h.groupKey() == a.groupKey():
			list = append(list, h)
		case of.groupKey() == a.groupKey():
			unknown = append(unknown, h)
		}
	}
	if len(list) == 0 {
		list = unknown
	}
	slices.SortStableFunc(list, func(x, y Archive) int { return y.Started.Compare(x.Started) })
	return list
}

// Suspect compares an archive with the verified ones of the same path and parts
// before it, and says in figures how it is unlike them: empty or nearly so, far
// fewer items or files, far less data, each against the most that there was; or gaps
// that the newest one before it has not, and databases and domains that it has. The
// words name nothing from inside, because they are written beside the archive. While the newest archive has findings that
// nobody has accepted, nothing of its source is pruned. How much changes from one day
// to the next is nothing to go by, so one of changes alone is unlike nothing.
func Suspect(a Archive, history []Archive) []Finding {
	if a.Base != "" {
		return nil
	}
	before := earlier(a, history)
	if len(before) == 0 {
		return nil
	}
	var found []Finding
	add := func(rule, text string, args ...any) {
		found = append(found, Finding{Rule: rule, What: a.Ref(), Text: Errorf(KindAttention, text, args...).Message})
	}
	most := PeakOf(a, history)
	switch {
	case most.Bytes > 0 && a.Bytes == 0:
		add("empty", "It is empty: %s, where one before it held %s.", FormatBytes(a.Bytes), FormatBytes(most.Bytes))
	case under(a.Bytes, most.Bytes, nearlyEmpty):
		add("empty", "It is nearly empty: %s, where one before it held %s.", FormatBytes(a.Bytes), FormatBytes(most.Bytes))
	case most.Bytes >= fewBytes && under(a.Bytes, most.Bytes, farFewer):
		add("shrunk", "It holds far less than one before it: %s instead of %s.", FormatBytes(a.Bytes), FormatBytes(most.Bytes))
	}
	if most.Items > 0 && a.Items == 0 || most.Items >= fewFiles && under(a.Items, most.Items, farFewer) {
		add("fewer", "It has far fewer items than one before it: %s instead of %s.", FormatCount(a.Items, ""), FormatCount(most.Items, ""))
	}
	suspectInside(a, before, most, add)
	if opened := gapsOpened(a, settled(before)); opened > 0 {
		add("gaps", "%s could not be read, and %s only in part; so many of these are gaps that the one before it has not: %s. The older archives may hold what is missing now.",
			FormatCount(a.Counts[NoteUnreadable], "item"), FormatCount(a.Counts[NoteHalf], "file"), FormatCount(opened, ""))
	}
	return found
}

// settled gives the newest of some archives that nothing is odd about, or of which
// somebody said that it is right: what is odd about one must not be an excuse for
// the next. It is the zero archive where there is none.
func settled(newestFirst []Archive) Archive {
	for _, a := range newestFirst {
		if len(a.Findings) == 0 || a.Accepted != "" {
			return a
		}
	}
	return Archive{}
}

// under reports whether n is less than most divided by part.
func under(n, most, part int64) bool { return most > 0 && n <= (most-1)/part }

// Paused reports whether nothing of a source may be pruned: the newest verified whole
// archive of some path and parts of it, which is given, is suspiciously unlike
// its history and nobody has accepted that. One whose date lies in the future of
// now does not count, here as little as for Decide: it would hide every one that
// is made until then.
func Paused(archives []Archive, now time.Time) (Archive, bool) {
	newest := map[string]Archive{}
	for _, a := range archives {
		if key := a.groupKey(); a.IsVerified() && a.Base == "" && !a.Started.After(now) && a.Started.After(newest[key].Started) {
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
