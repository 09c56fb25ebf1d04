package restore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// returning is the Inner of an item of a plan: what of a folder is put back, and where.
type returning struct {
	Folder string       `json:"folder"` // ID of the folder of the archive
	Kind   outlook.Kind `json:"kind"`
	To     []string     `json:"to"` // path of the folder that it goes into
	// Same says that it goes back where it was: a folder of that ID is taken, whatever it
	// is called now.
	Same bool `json:"same,omitempty"`
	// Known, of one that goes back where it was, is the nearest folder at or above it that a
	// mailbox has from the beginning, by WellKnown or, "default", as its own of the kind. The
	// first Depth names of To lead to it. It is called otherwise in other languages.
	Known  string   `json:"known,omitempty"`
	Depth  int      `json:"depth,omitempty"`
	Search search   `json:"search,omitzero"`
	Items  []string `json:"items,omitempty"` // only these, by Item.ID
	Count  int64    `json:"count"`
}

// shownGone is how many of the things that are not put back a plan names of each sort.
const shownGone = 10

// mostSteps is how many folders one run puts back: it is saved whole at each change, and
// a value of etcd has 1.5 MiB at the most (etcd.io/docs, "System limits").
const mostSteps = 1000

// roomy is from how many bytes on a plan says that nobody knows the room in a mailbox.
const roomy = 1 << 30

// Indexed satisfies providers.Indexed: an archive has an index of its own.
func (p *Returner) Indexed() {}

// PlanReturn satisfies providers.Restorer. It looks whether the mailbox that things go
// into is there, and reads the indexes of the archives, which takes some seconds for a
// million items.
func (p *Returner) PlanReturn(ctx context.Context, source keepwatch.Source, sets []providers.Set, ask keepwatch.ReturnAsk) (keepwatch.ReturnPlan, error) {
	var none keepwatch.ReturnPlan
	if p.cfg.Restorer == nil {
		return none, noRestorer(source)
	}
	to, err := placeOf(source.Mailbox, ask.Into, p.cfg.Now().In(p.cfg.Zone))
	if err != nil {
		return none, err
	}
	how, err := present(ask.Present)
	if err != nil || len(sets) == 0 {
		return none, err
	}
	sets = slices.Clone(sets)
	slices.SortStableFunc(sets, func(a, b providers.Set) int { return a.Archive.AsOf().Compare(b.Archive.AsOf()) })
	v, err := viewOf(ctx, sets)
	if err != nil {
		return none, err
	}
	which, err := v.choose(ask.Parts)
	if err != nil {
		return none, err
	}
	plan := planner{view: v, to: to, which: which, present: how, at: sets[len(sets)-1].Archive.AsOf()}
	plan.out.Known = v.known()
	mind, err := p.whose(ctx, source, v, to)
	if err == nil {
		plan.out.Mind = append(mind, v.mind...)
		err = plan.find(ctx, sets[0].From, p.finder)
	}
	if err == nil {
		err = plan.count(ctx, sets[0].From)
	}
	if err != nil {
		return none, err
	}
	out := plan.finish()
	if n := len(out.Items); n > mostSteps {
		return none, keepwatch.Errorf(keepwatch.KindInvalid, "That is %s, and one run takes %s at the most. Restore it in parts: mail, contacts, calendar, or a folder with those below it.", keepwatch.FormatCount(int64(n), "folder"), keepwatch.FormatCount(mostSteps, ""))
	}
	return out, nil
}

func noRestorer(source keepwatch.Source) error {
	return keepwatch.Errorf(keepwatch.KindInvalid, "This Keepwatch has no access to Microsoft 365, so nothing of %s can be put into a mailbox. Set MICROSOFT_TENANT_ID and what belongs to it, or restore to a folder: --to ./back.", source.Name)
}

// whose looks at the mailbox that things go into, and says what must be known of it.
func (p *Returner) whose(ctx context.Context, source keepwatch.Source, v *view, to place) (mind []string, err error) {
	for _, l := range v.layers {
		if l.state.Mailbox != "" && !sameMailbox(l.state.Mailbox, source.Mailbox) {
			mind = append(mind, fmt.Sprintf("%s is of the mailbox %s, and keepwatch.yaml now says %s for %s. Make sure that it goes into the right one.", l.ref, keepwatch.Printable(l.state.Mailbox), source.Mailbox, source.Name))
		}
	}
	if !sameMailbox(to.mailbox, source.Mailbox) {
		mind = append(mind, fmt.Sprintf("It goes into another mailbox: whoever reads %s can read all of it.", keepwatch.Printable(to.mailbox)))
	}
	if p.cfg.Server == nil {
		return mind, nil
	}
	_, err = p.cfg.Server.Folders(ctx, to.mailbox, outlook.Wish{Kinds: []outlook.Kind{outlook.Mail}})
	switch keepwatch.KindOf(err) {
	case keepwatch.KindInvalid, keepwatch.KindDenied, keepwatch.KindNotFound, keepwatch.KindAttention:
		return nil, err
	}
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		mind = append(mind, fmt.Sprintf("Microsoft 365 could not be asked about %s just now, so nobody has looked whether that mailbox is there.", keepwatch.Printable(to.mailbox)))
	}
	return mind, nil
}

// planner makes a plan out of a mailbox as archives hold it.
type planner struct {
	view    *view
	to      place
	which   chosen
	present string
	at      time.Time
	parts   map[string]*planned // by folder ID
	// found are, where a text is looked for, the items that have it: IDs of folders, and numbers.
	found map[string]map[int64]bool
	out   keepwatch.ReturnPlan
}

// planned is what was counted of a folder.
type planned struct {
	folder         *folderView
	seen           int64 // items that are in it
	count, missing int64 // of those that are asked for
	bytes          int64
	ids            []string // of those that were asked for one by one
	subject        string   // of the first of them
	found          []string // of those that a search has found
}

// find looks for the items that have a text. What it finds is put back by the ids: the
// archives are not searched once more, and exactly what was shown comes back.
func (p *planner) find(ctx context.Context, from providers.Opener, x *finder) error {
	s := p.which.search
	if len(s.Texts) == 0 {
		return nil
	}
	q := question{from: from, view: p.view, search: s, single: map[*folderView]map[int64]bool{}}
	for _, f := range p.view.folders {
		if p.which.folders[f] || p.which.single[f] != nil {
			q.folders = append(q.folders, f)
		}
		if !p.which.folders[f] && p.which.single[f] != nil {
			q.single[f] = p.which.single[f]
		}
	}
	got, err := x.find(ctx, q, false)
	if err != nil {
		return err
	}
	if got.hits.Late || got.hits.Many {
		why := "Looking through all of that takes too long to be done at once"
		if !got.hits.Late {
			why = "More than " + keepwatch.FormatCount(keepwatch.MaxMailHits, "item fits", "items fit") + " that, which is too many to be named one by one"
		}
		return keepwatch.Errorf(keepwatch.KindConflict, "%s. Name a folder, or fewer days (--since, --until), or restore a folder whole.", why)
	}
	p.found = map[string]map[int64]bool{}
	for _, hit := range got.list {
		if p.found[hit.folder] == nil {
			p.found[hit.folder] = map[int64]bool{}
		}
		p.found[hit.folder][hit.Item.Number] = true
	}
	if n := got.hits.Broken; n > 0 {
		p.out.Mind = append(p.out.Mind, keepwatch.FormatCount(n, "item is", "items are")+" damaged, and could not be looked through whole: what was looked for may be there too.")
	}
	return nil
}

// count reads the indexes.
func (p *planner) count(ctx context.Context, from providers.Opener) error {
	s := stack{from: from, first: map[string]int{}, among: map[string][]int{}}
	p.parts = map[string]*planned{}
	room := int64(0)
	for _, l := range p.view.layers {
		s.refs = append(s.refs, l.ref)
	}
	for _, f := range p.view.folders {
		if !p.which.folders[f] && p.which.single[f] == nil || !p.possible(f) {
			continue
		}
		p.parts[f.ID], s.first[f.ID], s.among[f.ID] = &planned{folder: f}, f.layers[0], f.layers
		for _, i := range f.layers[1:] {
			for _, fs := range p.view.layers[i].state.Folders {
				if fs.ID == f.ID {
					room += fs.Kept + fs.Gone
				}
			}
		}
	}
	if len(s.first) == 0 {
		return nil
	}
	m, err := s.mentions(ctx, room)
	if err != nil {
		return err
	}
	for i := range s.refs {
		if !p.needs(i) {
			continue
		}
		for h, err := range s.each(ctx, i, m) {
			if err != nil {
				return err
			}
			p.take(p.parts[h.Folder], h.head)
		}
	}
	for f, numbers := range p.which.single {
		for number := range numbers {
			if done := p.parts[f.ID]; done != nil && number > done.seen && !p.which.folders[f] {
				return keepwatch.Errorf(keepwatch.KindNotFound, "%s holds %s, so there is no #%d in it.", keepwatch.Printable(f.title), keepwatch.FormatCount(done.seen, "item"), number)
			}
		}
	}
	return nil
}

// needs reports whether an archive holds something of the folders that are asked for.
func (p *planner) needs(layer int) bool {
	for _, part := range p.parts {
		if slices.Contains(part.folder.layers, layer) {
			return true
		}
	}
	return false
}

// take counts an item, if it is asked for.
func (p *planner) take(part *planned, h head) {
	part.seen++
	if !p.which.folders[part.folder] {
		if !p.which.single[part.folder][part.seen] {
			return
		}
		if part.ids = append(part.ids, h.ID); len(part.ids) == 1 {
			part.subject = h.Subject
		}
	}
	fits := p.which.search.when(h)
	if p.found != nil {
		fits = p.found[part.folder.ID][part.seen]
	}
	switch {
	case !fits:
	case h.Path == "":
		part.missing++
	default:
		if p.found != nil {
			part.found = append(part.found, h.ID)
		}
		part.count++
		part.bytes += h.Bytes
	}
}

// possible reports whether a folder can be written to, and says why it cannot.
func (p *planner) possible(f *folderView) bool {
	title := keepwatch.Printable(f.title)
	switch {
	case !p.to.original:
		return true
	case f.Recoverable:
		p.out.Not = append(p.out.Not, fmt.Sprintf("%s holds what was deleted for good, and nobody can write there. It can be put into a new folder: --to mailbox.", title))
	case f.ReadOnly:
		p.out.Not = append(p.out.Not, fmt.Sprintf("%s is a calendar of others, which is theirs to change. It can be put into a calendar of its own: --to mailbox.", title))
	case f.Hidden:
		p.out.Not = append(p.out.Not, fmt.Sprintf("%s is a hidden folder, in which programs keep their own things. It can be put into a new folder: --to mailbox.", title))
	default:
		return true
	}
	return false
}
