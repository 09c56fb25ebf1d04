package providers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"keepwatch"
)

// restorer finds a source and who puts parts of its archives back.
func (cfg Config) restorer(name string) (keepwatch.Source, Restorer, error) {
	source, p, err := cfg.provider(name)
	if err != nil {
		return source, nil, err
	}
	r, ok := p.(Restorer)
	if !ok {
		return source, nil, keepwatch.Errorf(keepwatch.KindInvalid, "%s is a source of kind %s: there is no account that its parts could be put back into. Restore it to a folder. One that is called account is written ./account.", source.Name, source.Kind)
	}
	return source, r, nil
}

// proved gives the record of an archive that may be put back: it is there and
// verified.
func (cfg Config) proved(ref string) (keepwatch.Archive, error) {
	source, _, ok := keepwatch.SplitRef(ref)
	if !ok {
		return keepwatch.Archive{}, keepwatch.Errorf(keepwatch.KindInvalid, "%q is no archive. `/backup list` shows those that there are.", ref)
	}
	archives, err := cfg.Archives.Archives(source)
	if err != nil {
		return keepwatch.Archive{}, err
	}
	i := slices.IndexFunc(archives, func(a keepwatch.Archive) bool { return a.Ref() == ref })
	switch {
	case i < 0:
		return keepwatch.Archive{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is no archive %s. `/backup list %s` shows those that there are.", ref, source)
	case cfg.Vault.Missing(archives[i]) != "":
		return archives[i], keepwatch.Errorf(keepwatch.KindConflict, "%s is not in the vault as it should be: %s Put back from another archive.", ref, cfg.Vault.Missing(archives[i]))
	case !archives[i].IsVerified():
		return archives[i], keepwatch.Errorf(keepwatch.KindConflict, "%s is not verified, so nothing is put back from it into a live account. Prove it first: `/backup verify %s`.", ref, ref)
	}
	return archives[i], nil
}

// Returns plans what is put back where it came from.
type Returns struct{ cfg Config }

// NewReturns makes one out of what the works are made of.
func NewReturns(cfg Config) (*Returns, error) {
	cfg, err := cfg.whole()
	if err != nil {
		return nil, err
	}
	return &Returns{cfg}, nil
}

// Plan says what putting parts of some archives back does, in order, and changes
// nothing. refs may be in any order, and all are of one source.
func (r *Returns) Plan(ctx context.Context, refs []string, ask keepwatch.ReturnAsk) (keepwatch.ReturnPlan, error) {
	var sets []Set
	seen := &witness{from: r.cfg.Vault, damaged: map[string]error{}}
	for _, ref := range slices.Compact(slices.Sorted(slices.Values(refs))) {
		a, err := r.cfg.proved(ref)
		if err != nil {
			return keepwatch.ReturnPlan{}, err
		}
		if len(sets) > 0 && a.Source != sets[0].Archive.Source {
			return keepwatch.ReturnPlan{}, keepwatch.Errorf(keepwatch.KindInvalid, "%s and %s are archives of different sources. Put them back one source at a time.", sets[0].Archive.Ref(), ref)
		}
		sets = append(sets, Set{Archive: a, From: seen})
	}
	if len(sets) == 0 {
		return keepwatch.ReturnPlan{}, keepwatch.Errorf(keepwatch.KindInvalid, "Say which archive is to be put back.")
	}
	source, restorer, err := r.cfg.restorer(sets[0].Archive.Source)
	if err != nil {
		return keepwatch.ReturnPlan{}, err
	}
	slices.SortStableFunc(sets, func(a, b Set) int { return a.Archive.AsOf().Compare(b.Archive.AsOf()) })
	for i := range sets {
		if _, indexed := restorer.(Indexed); indexed {
			break
		}
		ref, set := sets[i].Archive.Ref(), &sets[i]
		err := r.cfg.Vault.Contents(ctx, ref, func(e keepwatch.Entry) error {
			set.Entries = append(set.Entries, e)
			return nil
		}, nil)
		if err != nil {
			return keepwatch.ReturnPlan{}, errors.Join(err, damage(r.cfg, ref, nil, err))
		}
	}
	plan, err := restorer.PlanReturn(ctx, source, sets, ask)
	if err = errors.Join(err, seen.keep(r.cfg)); err != nil {
		return plan, err
	}
	known := map[string]bool{}
	for _, set := range sets {
		known[set.Archive.Ref()] = true
	}
	for _, item := range plan.Items {
		for _, ref := range item.With { // those that nobody has named
			if known[ref] {
				continue
			}
			a, err := r.cfg.proved(ref)
			if err != nil {
				return plan, err
			}
			known[ref], sets = true, append(sets, Set{Archive: a})
		}
	}
	plan.Mind = append(plan.Mind, odd(sets)...)
	return plan, nil
}

// odd names the archives that are unlike those before them and of which nobody has said
// that this is right: with one of which half is missing a restore makes things worse.
func odd(sets []Set) []string {
	var list []string
	for _, s := range sets {
		if a := s.Archive; len(a.Findings) > 0 && a.Accepted == "" {
			list = append(list, fmt.Sprintf("%s is unlike those before it, and nobody has said that this is right. %s", a.Ref(), a.Findings[0].Text))
		}
	}
	return list
}

// witness is an Opener that remembers which archives it has found damaged: whoever
// reads several of them is told of the first alone.
type witness struct {
	from Opener

	mu      sync.Mutex
	damaged map[string]error // by ref
}

// OpenEntry satisfies Opener.
func (w *witness) OpenEntry(ctx context.Context, ref, path string) (keepwatch.Entry, io.ReadCloser, error) {
	e, content, err := w.from.OpenEntry(ctx, ref, path)
	w.saw(ref, err)
	if err != nil {
		return e, content, err
	}
	return e, &witnessed{ReadCloser: content, w: w, ref: ref}, nil
}

func (w *witness) saw(ref string, err error) {
	if !errors.Is(err, keepwatch.ErrDamaged) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.damaged[ref] = err
}

// WalkEntries satisfies Walker, where the Opener does.
func (w *witness) WalkEntries(ctx context.Context, ref string, want func(path string) bool, visit func(e keepwatch.Entry, body io.Reader) error) error {
	from, ok := w.from.(Walker)
	if !ok {
		return errors.ErrUnsupported
	}
	err := from.WalkEntries(ctx, ref, want, func(e keepwatch.Entry, body io.Reader) error {
		return visit(e, &witnessed{ReadCloser: io.NopCloser(body), w: w, ref: ref})
	})
	w.saw(ref, err)
	return err
}

// keep adds what was found to the records of the archives.
func (w *witness) keep(cfg Config) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var err error
	for ref, found := range w.damaged {
		err = errors.Join(err, damage(cfg, ref, nil, found))
	}
	return err
}

// witnessed is what a witness has opened.
type witnessed struct {
	io.ReadCloser
	w   *witness
	ref string
}

func (r *witnessed) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.w.saw(r.ref, err)
	return n, err
}

// putBack is the work of putting parts of archives back where they came from. Each
// item is a step: it is done once, and where one stops, those behind it wait, because
// what is newer goes on top of what is older.
type putBack struct{ cfg Config }

// ReturnStep names the step of a run that puts an item back: "1 database ruthin_wp".
// i is its place in Ask.Return.
func ReturnStep(i int, item keepwatch.ReturnItem) string { return fmt.Sprintf("%d %s", i+1, item.Name) }

func (p putBack) steps(run keepwatch.Run) []step {
	list := []step{{name: "plan", do: p.plan}}
	for i, item := range run.Ask.Return {
		list = append(list, step{name: ReturnStep(i, item), do: func(ctx context.Context, task keepwatch.Task) (keepwatch.Result, error) {
			return p.item(ctx, task, i)
		}})
	}
	return list
}

// discard removes what putting something back has left on this machine, where the
// provider leaves something.
func (p putBack) discard(run keepwatch.Run) error {
	_, r, err := p.cfg.restorer(run.Source)
	if err != nil {
		return nil // whoever is not there any more is not asked
	}
	if d, ok := r.(Downloader); ok {
		return d.Discard(run.ID)
	}
	return nil
}

// plan sees that what was confirmed can still be done.
func (p putBack) plan(_ context.Context, task keepwatch.Task) (keepwatch.Result, error) {
	result, ask := task.Run.Result, task.Run.Ask
	if _, _, err := p.cfg.restorer(task.Run.Source); err != nil {
		return result, err
	}
	plan := keepwatch.Plan{Items: int64(len(ask.Return))}
	for _, item := range ask.Return {
		for _, ref := range append([]string{item.Archive}, item.With...) {
			a, err := p.cfg.proved(ref)
			if err == nil && a.Source != task.Run.Source {
				err = keepwatch.Errorf(keepwatch.KindInvalid, "%s is no archive of %s.", ref, task.Run.Source)
			}
			if err != nil {
				return result, err
			}
		}
		plan.Bytes += item.Bytes
	}
	result.Plan, result.Archive = &plan, ask.Archive
	return result, nil
}

// item puts one of them back.
func (p putBack) item(ctx context.Context, task keepwatch.Task, i int) (keepwatch.Result, error) {
	result, item := task.Run.Result, task.Run.Ask.Return[i]
	source, restorer, err := p.cfg.restorer(task.Run.Source)
	if err != nil {
		return result, err
	}
	job := jobOf(source, task.Run)
	job.Parts, job.Report = []string{item.Part}, task.Report
	if err := remember(&job, task, task.Step); err != nil {
		return result, err
	}
	p.cfg.Crash("providers.return.begun")
	seen := &witness{from: p.cfg.Vault, damaged: map[string]error{}}
	log, err := restorer.Return(ctx, job, item, seen)
	if kept := seen.keep(p.cfg); kept != nil {
		p.cfg.Log.Error("that an archive is damaged could not be kept", "archive", item.Archive, "err", kept)
	}
	p.cfg.Crash("providers.return.over")
	result.Logs = addLog(result.Logs, log, task)
	if err != nil {
		return result, p.stopped(ctx, task, i, err)
	}
	result.Items++
	result.Bytes += item.Bytes
	return result, nil
}

// stopped is why an item was not put back, so that the run waits for a person there:
// it must not end in the middle, with what is older in place and what is newer not. An
// error that is worth another try stays one.
func (p putBack) stopped(ctx context.Context, task keepwatch.Task, i int, err error) error {
	item := task.Run.Ask.Return[i]
	if context.Cause(ctx) != nil || keepwatch.KindOf(err) == keepwatch.KindTransient && !errors.Is(err, keepwatch.ErrDamaged) {
		return err
	}
	text := keepwatch.Sentence(err)
	if text == "" {
		text = fmt.Sprintf("Putting back %s failed for a reason inside Keepwatch or this machine; an admin finds the cause in the log.", item.Name)
	}
	n := len(task.Run.Ask.Return) - i - 1
	if n == 0 && keepwatch.KindOf(err) == keepwatch.KindAttention {
		return err // there is nothing to add
	}
	switch {
	case n > 0 && item.Mailbox != "":
		text += fmt.Sprintf(" What comes after it in the plan (%s) waits until then.", keepwatch.FormatCount(int64(n), "item"))
	case n > 0:
		text += fmt.Sprintf(" What comes after it in the plan (%s) waits, because the order matters.", keepwatch.FormatCount(int64(n), "item"))
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "%s", text).Because(err)
}

// logRoom is how much of a server's logs a run keeps, in bytes: it is saved again at
// each change of the run.
const logRoom = 16 * keepwatch.MaxServerLog

// leastLog is how much of each is kept, however many there are.
const leastLog = 1 << 10

// addLog adds what the server wrote about a step, in place of what it wrote under the
// same name about an earlier try. Its end is kept.
func addLog(logs []keepwatch.ServerLog, log keepwatch.ServerLog, task keepwatch.Task) []keepwatch.ServerLog {
	if log.Name == "" && log.Text == "" {
		return logs
	}
	log.Step = task.Step
	most := min(keepwatch.MaxServerLog, max(leastLog, logRoom/max(1, len(task.Run.Ask.Return))))
	if cut := len(log.Text) - most; cut > 0 {
		log.Text = log.Text[cut:]
	}
	log.Text = strings.ToValidUTF8(log.Text, "")
	logs = slices.DeleteFunc(slices.Clone(logs), func(l keepwatch.ServerLog) bool { return l.Step == log.Step && l.Name == log.Name })
	return append(logs, log)
}
