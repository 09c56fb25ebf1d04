package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
	"keepwatch/store"
)

// noon is the time in these tests.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// world is a store and the records over it.
type world struct {
	store.Store
	*store.Records
}

// RunRecords holds the typed records to their promises over a driver, plainly
// and with every update's function running twice. open gives a new, empty store.
func RunRecords(t *testing.T, open func(t *testing.T) store.Store) {
	for how, wrap := range map[string]func(store.Store) store.Store{"once": func(s store.Store) store.Store { return s }, "twice": Twice} {
		for name, test := range map[string]func(*testing.T, world){
			"runs": runs, "one run of a source": oneRun, "64 at once": manyAtOnce, "archives": archives, "audit": audits,
			"sources, files seen and values": facts, "odd names": oddNames, "newer records": newer,
		} {
			t.Run(how+"/"+name, func(t *testing.T) {
				s := open(t)
				t.Cleanup(func() { _ = s.Close() })
				s = wrap(s)
				test(t, world{s, store.NewRecords(s, func() time.Time { return noon })})
			})
		}
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantKind(t *testing.T, err error, kind keepwatch.Kind, parts ...string) {
	t.Helper()
	if err == nil || keepwatch.KindOf(err) != kind {
		t.Errorf("%v, want one that is %q", err, kind)
	}
	for _, part := range parts {
		if !strings.Contains(keepwatch.Sentence(err), part) {
			t.Errorf("%q does not say %q", keepwatch.Sentence(err), part)
		}
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(keepwatch.Secret{})); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

func archives(t *testing.T, w world) {
	archive := must[keepwatch.Archive](t)
	refs := func(list []keepwatch.Archive, err error) (refs []string) {
		t.Helper()
		for _, a := range must[[]keepwatch.Archive](t)(list, err) {
			refs = append(refs, a.Ref())
		}
		return refs
	}
	for _, source := range []string{"notes", "notes-2", "mail"} {
		for day := range 3 {
			at := noon.AddDate(0, 0, day)
			if err := w.SaveArchive(keepwatch.Archive{Source: source, Stamp: keepwatch.StampOf(at), Started: at, Run: int64(day)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	same(t, "of one source", refs(w.Archives("notes")), []string{"notes/2026-11-26T120000Z", "notes/2026-11-25T120000Z", "notes/2026-11-24T120000Z"})
	if all := refs(w.Archives("")); len(all) != 9 || all[0] != "mail/2026-11-26T120000Z" {
		t.Errorf("all: %q", all)
	}
	const ref = "notes/2026-11-25T120000Z"
	pin := func(a *keepwatch.Archive) error { a.Items++; return nil } // twice would show
	if a := archive(w.UpdateArchive(ref, pin)); a.Items != 1 {
		t.Errorf("%d items", a.Items)
	}
	if a := archive(w.Archive(ref)); a.Items != 1 {
		t.Errorf("%d items", a.Items)
	}
	own := errors.New("own")
	if _, err := w.UpdateArchive(ref, func(a *keepwatch.Archive) error { a.Items = 7; return own }); !errors.Is(err, own) {
		t.Errorf("the error became %v", err)
	}
	if _, err := w.UpdateArchive(ref, func(a *keepwatch.Archive) error { a.Source = "mail"; return nil }); err == nil {
		t.Error("an archive became another one")
	}
	for range 2 {
		if err := w.DeleteArchive(ref); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.Archive(ref)
	wantKind(t, err, keepwatch.KindNotFound, ref)
	_, err = w.UpdateArchive(ref, pin)
	wantKind(t, err, keepwatch.KindNotFound, ref)
	same(t, "after a removal", refs(w.Archives("notes")), []string{"notes/2026-11-26T120000Z", "notes/2026-11-24T120000Z"})
}

func facts(t *testing.T, w world) {
	for _, name := range []string{"notes", "mail"} {
		s := keepwatch.Source{Name: name, Kind: keepwatch.KindFiles, Path: "/srv/" + name, AdHoc: true, Hosting: &keepwatch.Hosting{Token: keepwatch.NewSecret("hush")}}
		if err := w.SaveSource(s); err != nil {
			t.Fatal(err)
		}
		if raw, ok := get(t, w.Store, "source/"+name); !ok || strings.Contains(raw, "hush") {
			t.Errorf("%v, a token lies in the state: %s", ok, raw)
		}
	}
	same(t, "sources", must[[]keepwatch.Source](t)(w.AdHocSources()), []keepwatch.Source{
		{Name: "mail", Kind: keepwatch.KindFiles, Path: "/srv/mail", AdHoc: true}, {Name: "notes", Kind: keepwatch.KindFiles, Path: "/srv/notes", AdHoc: true}})

	seen := must[bool](t)
	at := noon.Add(123456789)
	try := keepwatch.DropTry{Path: "a/b.pst", Size: 10, ModTime: at, Changed: at.Add(1), Mode: 0o600, Run: 7, Tries: 2, At: at.Add(time.Hour)}
	if err := errors.Join(w.SaveTry("drop", keepwatch.DropTry{Path: "a/b.pst", Tries: 1}), w.SaveTry("drop", try)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(try, must[keepwatch.DropTry](t)(w.Try("drop", "a/b.pst"))); diff != "" {
		t.Error(diff)
	}
	if got := must[keepwatch.DropTry](t)(w.Try("drop2", "a/b.pst")); got.Tries != 0 {
		t.Errorf("of another source: %+v", got)
	}
	if err := w.MarkSeen("drop", "a/b.pst", 10, at); err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string]bool{
		"another size": seen(w.Seen("drop", "a/b.pst", 11, at)), "another time": seen(w.Seen("drop", "a/b.pst", 10, at.Add(1))),
		"another path": seen(w.Seen("drop", "a", 10, at)), "another source": seen(w.Seen("drop2", "a/b.pst", 10, at)),
	} {
		if got {
			t.Errorf("%s was taken for the same file", what)
		}
	}
	if got := must[keepwatch.DropTry](t)(w.Try("drop", "a/b.pst")); got.Tries != 0 {
		t.Errorf("taken, and still a try: %+v", got)
	}
	if !seen(w.Seen("drop", "a/b.pst", 10, at.In(time.FixedZone("", 3600)))) {
		t.Error("a file that was marked is new again")
	}

	value := must[string](t)
	if v := value(w.Value("key.saved")); v != "" {
		t.Errorf("a fact that nobody set is %q", v)
	}
	if err := w.SetValue("key.saved", "yes, \"twice\""); err != nil {
		t.Fatal(err)
	}
	if v := value(w.Value("key.saved")); v != `yes, "twice"` {
		t.Errorf("the fact is %q", v)
	}
	if err := w.SetValue("", "x"); err == nil {
		t.Error("a fact without a name was kept")
	}
}

func oddNames(t *testing.T, w world) {
	for _, name := range []string{"", "/", "a/b", "../a", "a/", "ä", "A", "a b", "a\x00", "-a", ".a", strings.Repeat("a", 64)} {
		_, err := w.CreateRun(backupOf(name))
		wantKind(t, err, keepwatch.KindInvalid, "name of a source")
		wantKind(t, w.SaveArchive(keepwatch.Archive{Source: name, Stamp: "x"}), keepwatch.KindInvalid)
		wantKind(t, w.SaveSource(keepwatch.Source{Name: name}), keepwatch.KindInvalid)
		wantKind(t, w.MarkSeen(name, "p", 1, noon), keepwatch.KindInvalid)
		_, err = w.Archive(name + "/2026-11-24T120000Z")
		wantKind(t, err, keepwatch.KindNotFound)
	}
	for _, stamp := range []string{"", "x/y"} {
		if err := w.SaveArchive(keepwatch.Archive{Source: "a", Stamp: stamp}); err == nil {
			t.Errorf("the stamp %q was taken", stamp)
		}
	}
	// names that begin alike are not mixed up
	for i, name := range []string{"a", "a-", "a.", "a0", "ab", strings.Repeat("a", 63)} {
		r := must[keepwatch.Run](t)(w.CreateRun(backupOf(name)))
		err := errors.Join(w.SaveArchive(keepwatch.Archive{Source: name, Stamp: "x", Run: r.ID}), w.MarkSeen(name, "p", int64(i), noon))
		if list, err2 := w.Archives(name); err != nil || err2 != nil || len(list) != 1 || list[0].Run != r.ID {
			t.Errorf("%s: %+v, %v, %v", name, list, err, err2)
		}
	}
	if seen, err := w.Seen("a", "p", 0, noon); !seen || err != nil {
		t.Errorf("%v, %v", seen, err)
	}
}

func newer(t *testing.T, w world) {
	r := must[keepwatch.Run](t)(w.CreateRun(backupOf("notes")))
	raw := []byte(`{"v":2,"id":1,"source":"notes","moon":"full"}`)
	put(t, w.Store, "run/000000000001", string(raw), "archive/notes/x", string(raw), "audit/2026-11-24T12:00:00.000000000Z/x", string(raw),
		"value/x", string(raw), "source/notes", string(raw))
	_, errRun := w.Run(r.ID)
	_, errOpen := w.OpenRuns()
	_, errRecent := w.RecentRuns("", 1)
	_, errArchive := w.Archive("notes/x")
	_, errUpdate := w.UpdateArchive("notes/x", func(*keepwatch.Archive) error { return nil })
	_, errAudit := w.Audits(keepwatch.AuditFilter{})
	_, errValue := w.Value("x")
	_, errSource := w.AdHocSources()
	_, errBusy := w.CreateRun(backupOf("notes"))
	for _, err := range []error{errRun, errOpen, errRecent, errArchive, errUpdate, errAudit, errValue, errSource, errBusy} {
		wantKind(t, err, keepwatch.KindAttention, "newer Keepwatch")
	}
	if v, _ := get(t, w.Store, "archive/notes/x"); v != string(raw) {
		t.Errorf("the newer record became %q", v)
	}
	put(t, w.Store, "run/000000000001", "not json")
	if _, err := w.Run(1); err == nil || !strings.Contains(err.Error(), "run/000000000001") {
		t.Errorf("a broken record gives %v", err)
	}
}
