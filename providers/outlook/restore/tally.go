package restore

import (
	"errors"
	"fmt"
	"strings"

	"keepwatch"
	"keepwatch/providers/outlook"
)

// shownSaid is how many lines about single items are kept.
const shownSaid = 200

// tally is what became of the items of a folder.
type tally struct {
	put     int64 // by this call
	there   int64 // put there by an earlier one
	same    int64 // left out, since the folder had them before
	refused int64 // the mailbox does not take them
	damaged int64 // cannot be read from the archive
	noted   int64 // put back, and not with all that they were
	bytes   int64
	lost    []string // names of some that are damaged
	why     error    // of the first of these
	said    []string
}

// say keeps a line about an item.
func (t *tally) say(h head, text string) {
	if len(t.said) == shownSaid {
		t.said = append(t.said, "There is more of this kind, which is not listed.")
	}
	if len(t.said) > shownSaid {
		return
	}
	at := ""
	if !h.At.IsZero() {
		at = " (" + h.At.UTC().Format("2006-01-02 15:04") + " UTC)"
	}
	t.said = append(t.said, shortSubject(h.Subject)+at+": "+keepwatch.Printable(text))
}

// restored counts an item that is in the folder now.
func (t *tally) restored(h head, r outlook.Restored) {
	t.bytes += h.Bytes
	if len(r.Notes) > 0 {
		t.noted++
		t.say(h, strings.Join(r.Notes, "; "))
	}
}

// broken counts one that cannot be read.
func (t *tally) broken(h head, err error) {
	t.damaged++
	if t.why == nil {
		t.why = err
	}
	if len(t.lost) <= shownGone {
		t.lost = append(t.lost, shortSubject(h.Subject))
	}
	text := keepwatch.Sentence(err)
	if text == "" {
		text = err.Error()
	}
	t.say(h, "not put back. "+text)
}

// sum counts all of it in a sentence.
func (e *errand) sum() string {
	words := []string{fmt.Sprintf("%s put into %s", countedItems(e.in.Kind, e.put+e.there), keepwatch.Printable(e.item.Into))}
	for _, c := range []struct {
		n    int64
		text string
	}{
		{e.same, "there already and left as they were"},
		{e.refused, "not taken by the mailbox"},
		{e.damaged, "damaged in the archive"},
		{e.noted, "not with all that they were"},
	} {
		if c.n > 0 {
			words = append(words, keepwatch.FormatCount(c.n, "")+" "+c.text)
		}
	}
	return strings.Join(words, "; ") + "."
}

// heed says what whoever asked must know; "" is nothing.
func (e *errand) heed() string {
	var list []string
	say := func(n int64, one, many string) {
		list = append(list, countedItems(e.in.Kind, n)+" "+oneOrMany(n, one, many))
	}
	if n := e.refused + e.damaged; n > 0 {
		say(n, "was not put back", "were not put back")
	}
	if e.noted > 0 {
		say(e.noted, "was put back without a part of what it was", "were put back without a part of what they were")
	}
	if e.same > 0 && e.put+e.there+e.refused+e.damaged == 0 {
		list = append(list, "nothing was put there, since all of it is in the folder already")
	} else if e.same > 0 {
		say(e.same, "was in the folder already and stays as it is", "were in the folder already and stay as they are")
	}
	if len(list) == 0 {
		return ""
	}
	text := strings.Join(list, "; ")
	return strings.ToUpper(text[:1]) + text[1:] + ". Details name them."
}

func oneOrMany(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// log is what is kept of it. The sum stands last, since the end of a log is what is kept.
func (e *errand) log() keepwatch.ServerLog {
	e.mu.Lock()
	defer e.mu.Unlock()
	text := strings.Join(append(e.said[:len(e.said):len(e.said)], e.sum()), "\n")
	for len(text) > keepwatch.MaxServerLog {
		_, text, _ = strings.Cut(text, "\n")
	}
	return keepwatch.ServerLog{Name: "restore", Text: text, Heed: e.heed()}
}

// isDamage reports whether an error is of the archive, and not of reading it now.
func isDamage(err error) bool {
	return errors.Is(err, keepwatch.ErrDamaged) || keepwatch.KindOf(err) == keepwatch.KindNotFound
}
