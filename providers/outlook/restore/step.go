package restore

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"keepwatch"
	"keepwatch/providers/outlook"
)

func sameMailbox(a, b string) bool { return strings.EqualFold(a, b) }

// countedItems gives so many items of a kind of folder in words.
func countedItems(k outlook.Kind, n int64) string {
	switch k {
	case outlook.Contacts:
		return keepwatch.FormatCount(n, "contact")
	case outlook.Calendar:
		return keepwatch.FormatCount(n, "event")
	}
	return keepwatch.FormatCount(n, "mail")
}

// finish makes a step of each folder of which something is asked for, in the order of the
// folders, and says what must be known of all of them.
func (p *planner) finish() keepwatch.ReturnPlan {
	var bytes, missing int64
	var without []string
	for _, f := range p.view.folders {
		part := p.parts[f.ID]
		if part == nil {
			continue
		}
		if part.missing > 0 {
			missing += part.missing
			without = append(without, fmt.Sprintf("%d in %s", part.missing, keepwatch.Printable(f.title)))
		}
		if part.count > 0 {
			p.out.Items = append(p.out.Items, p.step(part))
			bytes += part.bytes
			p.out.Found += part.count
		}
		if part.count > 0 && !f.whole && len(p.view.mind) == 0 {
			p.out.Mind = append(p.out.Mind, fmt.Sprintf("Of %s the archives that were named do not hold all: only what changed. Name an older one too that is whole.", keepwatch.Printable(f.title)))
		}
	}
	if missing > 0 {
		p.out.Mind = append(p.out.Mind, fmt.Sprintf("The archive misses %s, which Microsoft 365 did not give when it was made (%s). %s names each with the reason.",
			keepwatch.FormatCount(missing, "item"), fewNames(without), outlook.IndexPath))
	}
	p.warn(bytes)
	for _, f := range p.view.gone[:min(len(p.view.gone), shownGone)] {
		ref := p.view.layers[f.layers[len(f.layers)-1]].ref
		p.out.Not = append(p.out.Not, fmt.Sprintf("%s was no longer in the mailbox when %s was made. To put it back, name %s alone.", keepwatch.Printable(f.Title()), p.view.layers[len(p.view.layers)-1].ref, ref))
	}
	if more := len(p.view.gone) - shownGone; more > 0 {
		p.out.Not = append(p.out.Not, fmt.Sprintf("So it is with %s more.", keepwatch.FormatCount(int64(more), "folder")))
	}
	return p.out
}

// warn says what may be a mistake with the place that things go to.
func (p *planner) warn(bytes int64) {
	kinds := map[outlook.Kind]bool{}
	for _, item := range p.out.Items {
		var in returning
		if json.Unmarshal([]byte(item.Inner), &in) == nil {
			kinds[in.Kind] = true
		}
	}
	if p.to.original || p.to.asked {
		p.warnOfTwice(kinds)
	}
	if p.to.original && kinds[outlook.Mail] {
		p.out.Mind = append(p.out.Mind, "A rule of the organisation that removes old mail acts on what is put back too. Look at the retention policies first where there are some.")
	}
	if bytes >= roomy {
		p.out.Mind = append(p.out.Mind, fmt.Sprintf("How much room the mailbox has is not known from here, and about %s go into it.", keepwatch.FormatBytes(bytes)))
	}
}

// warnOfTwice says what of a folder that people use comes a second time, and what does not
// come although it is missing.
func (p *planner) warnOfTwice(kinds map[outlook.Kind]bool) {
	if p.present == presentCopy {
		p.out.Mind = append(p.out.Mind, "What is in the folder already comes twice, since --present copy was asked for.")
		return
	}
	if kinds[outlook.Contacts] {
		p.out.Mind = append(p.out.Mind, "A contact is known again as long as it is the one of the archive, whatever was changed in it. One that somebody has made anew is not, and gets another one beside it. Into a new folder (--to mailbox) they do not get among the others.")
	}
	if kinds[outlook.Calendar] {
		p.out.Mind = append(p.out.Mind, "A series of appointments that is still in the calendar stays as it is now: of its single times none is put back that was deleted or changed since. With --to mailbox the whole series, as it was, comes into a new calendar.")
	}
}

// fewNames names the first few.
func fewNames(names []string) string {
	text := strings.Join(names[:min(len(names), shownGone)], ", ")
	if more := len(names) - shownGone; more > 0 {
		text += fmt.Sprintf(" and %d more folders", more)
	}
	return text
}

// step is what puts one folder back.
func (p *planner) step(part *planned) keepwatch.ReturnItem {
	f, alone := part.folder, len(part.ids) == 1
	to := p.to.folder(f, len(part.ids) > 0)
	in := returning{Folder: f.ID, Kind: f.Kind, To: to, Same: p.to.original, Search: p.which.search, Items: part.ids, Count: part.count}
	if p.found != nil {
		in.Search, in.Items = search{}, part.found
	}
	if in.Same {
		in.Known, in.Depth = p.view.above(f)
	}
	inner, _ := json.Marshal(in) // of texts, numbers and moments that were read as such
	refs := p.view.refs(f)
	name := keepwatch.Printable(f.title) + ", " + countedItems(f.Kind, part.count)
	if alone {
		name += ": " + shortSubject(part.subject)
	}
	item := keepwatch.ReturnItem{
		Name: name, Archive: refs[len(refs)-1], At: p.at, Path: outlook.IndexPath, Part: f.title, Inner: string(inner), Bytes: part.bytes,
		Into: p.to.title(to), Present: p.present, Mailbox: p.to.mailbox,
	}
	if len(refs) > 1 {
		item.With = slices.Clone(refs[:len(refs)-1])
	}
	return item
}

// shortSubject gives a subject for a sentence.
func shortSubject(subject string) string {
	const most = 60
	if subject = strings.Join(strings.Fields(subject), " "); subject == "" {
		return "(no subject)"
	}
	if r := []rune(subject); len(r) > most {
		subject = string(r[:most]) + "…"
	}
	return keepwatch.Printable(subject)
}
