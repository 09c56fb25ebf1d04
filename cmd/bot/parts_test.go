package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/web"
	"keepwatch/store"
	"keepwatch/store/mem"
)

func TestCatalog(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"docs", "other/docs", "My Files"} {
		if err := os.MkdirAll(filepath.Join(dir, n), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	c := &catalog{configured: []keepwatch.Source{{Name: "notes", Kind: keepwatch.KindFiles, Path: filepath.Join(dir, "My Files")}}, kept: store.NewRecords(mem.New(), time.Now), home: dir, check: func(string) error { return nil }}
	for _, step := range []struct{ path, want string }{
		{"./docs", "docs"}, {"docs/", "docs"}, {filepath.Join(dir, "docs"), "docs"}, {"~/docs", "docs"}, {"other/docs", "docs-2"}, {"./other/../other/docs", "docs-2"}, {"./My Files", "notes"}, {".", keepwatch.NameFrom(filepath.Base(dir))},
	} {
		s, err := c.AddPath(step.path)
		if err != nil || s.Name != step.want {
			t.Errorf("%s is %q, %v; want %q", step.path, s.Name, err, step.want)
		}
	}
	if err := c.Forget("notes"); keepwatch.KindOf(err) != keepwatch.KindConflict {
		t.Errorf("a source of the configuration is forgotten: %v", err)
	}
	kept := c.kept.(*store.Records)
	run, err := kept.CreateRun(keepwatch.Run{Kind: keepwatch.RunBackup, Source: "docs-2", State: keepwatch.RunQueued})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Forget("docs-2"); keepwatch.KindOf(err) != keepwatch.KindConflict {
		t.Errorf("one that is being backed up is forgotten: %v", err)
	}
	run.State = keepwatch.RunDone
	archive := keepwatch.Archive{Source: "docs-2", Stamp: "2026-11-24T120000Z", Kind: keepwatch.KindFiles, Path: filepath.Join(dir, "other/docs")}
	if err := errors.Join(kept.SaveRun(run), kept.SaveArchive(archive), c.Forget("docs-2"), c.Forget("docs")); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ path, want string }{{"other/docs", "docs-2"}, {"docs", "docs"}} { // its archives are its own again
		if s, err := c.AddPath(step.path); err != nil || s.Name != step.want {
			t.Errorf("%s is %q once more, %v; want %q", step.path, s.Name, err, step.want)
		}
	}
	if _, err := c.AddPath("./nothing here"); keepwatch.KindOf(err) != keepwatch.KindNotFound {
		t.Errorf("%v", err)
	}
	if all, err := c.Sources(); err != nil || len(all) != 4 || all[0].Name != "notes" {
		t.Errorf("%+v %v", all, err)
	}
	if _, err := c.Source("nowhere"); keepwatch.KindOf(err) != keepwatch.KindNotFound {
		t.Errorf("%v", err)
	}
}

// TestTerminalPeople: whoever runs the bot is admin in the terminal, and nowhere
// else by that.
func TestTerminalPeople(t *testing.T) {
	account := keepwatch.Account{Platform: "terminal", ID: "alis", Name: "alis"}
	role := func(people []keepwatch.Person, platform, id string) (name string, role keepwatch.Role) {
		for _, p := range terminalPeople(people, account) {
			if p.Accounts[platform] == id {
				return p.Name, p.Role
			}
		}
		return "", keepwatch.RoleNone
	}
	alis := []keepwatch.Person{{Name: "Alis", Role: keepwatch.RoleViewer, Accounts: map[string]string{"terminal": "alis", "slack": "U1"}}}
	if name, r := role(alis, "terminal", "alis"); name != "Alis" || r != keepwatch.RoleAdmin {
		t.Errorf("in the terminal: %s is %s", name, r)
	}
	if _, r := role(alis, "slack", "U1"); r != keepwatch.RoleViewer {
		t.Errorf("a viewer is %s in Slack, because the bot runs as that user", r)
	}
	if alis[0].Accounts["terminal"] != "alis" {
		t.Error("the configuration was changed")
	}
	if name, r := role(nil, "terminal", "alis"); name != "alis" || r != keepwatch.RoleAdmin {
		t.Errorf("without a YAML: %s is %s", name, r)
	}
	if _, lesser := lesserTerminal(alis, account); !lesser {
		t.Error("the check does not say so")
	}
}

func TestPrepareKey(t *testing.T) {
	file, vaultDir := filepath.Join(t.TempDir(), "key.txt"), filepath.Join(t.TempDir(), "vault")
	rec := store.NewRecords(mem.New(), time.Now)
	key, err := prepareKey(file, vaultDir, nil, rec)
	if err != nil || !key.Made || key.Lost != nil {
		t.Fatalf("the first start: %+v %v", key, err)
	}
	recipient, _ := rec.Value(recipientFact)
	if key, err = prepareKey(file, vaultDir, nil, rec); err != nil || key.Made || key.Lost != nil {
		t.Errorf("the second start: %+v %v", key, err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if key, err = prepareKey(file, vaultDir, nil, rec); err != nil || key.Made || key.Lost == nil || key.Recipients[0] != recipient {
		t.Errorf("without its file: %+v %v", key, err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Error("a lost key was replaced")
	}
	if key, err = prepareKey(file, vaultDir, []string{"age1xyz"}, rec); err != nil || key.Lost != nil || key.Made {
		t.Errorf("with recipients: %+v %v", key, err)
	}
	again, err := makeKey(file, rec)
	if now, _ := rec.Value(recipientFact); err != nil || again == recipient || now != again {
		t.Errorf("a new key: %v", err)
	}
	if _, err := makeKey(file, rec); keepwatch.KindOf(err) != keepwatch.KindConflict {
		t.Errorf("over a key: %v", err)
	}
}

type fakeBacker struct{ err error }

func (f fakeBacker) Backup(file string) (int64, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 5, os.WriteFile(file, []byte("state"), 0o600)
}

// liar says that it copied, and did not.
type liar struct{}

func (liar) Backup(string) (int64, error) { return 5, nil }

// TestControlFolder: a socket in the system's folder for temporary files is used
// only below a folder that nobody else can have made or may write to.
func TestControlFolder(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	data := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	dir := filepath.Dir(socketPath(data))
	log := slog.New(slog.DiscardHandler)
	for name, spoil := range map[string]func() error{
		"open to others": func() error { return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o777)) },
		"a link":         func() error { return os.Symlink(t.TempDir(), dir) },
		"a file":         func() error { return os.WriteFile(dir, nil, 0o600) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if _, err := listenControl(data, fakeBacker{}, log); keepwatch.KindOf(err) != keepwatch.KindAttention {
			t.Errorf("%s: the bot listens: %v", name, err)
		}
		if _, err := backUpState(t.Context(), settings{DataDir: data}, filepath.Join(temp, "copy")); keepwatch.KindOf(err) != keepwatch.KindAttention {
			t.Errorf("%s: it is asked: %v", name, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	c, err := listenControl(data, liar{}, log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backUpState(t.Context(), settings{DataDir: data}, filepath.Join(temp, "copy")); keepwatch.KindOf(err) != keepwatch.KindAttention || !strings.Contains(keepwatch.Sentence(err), "cannot be found") {
		t.Errorf("a copy that is not there is believed: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestControlSocket(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), strings.Repeat("long", 30))} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		s := settings{DataDir: dir}
		if err := os.MkdirAll(filepath.Dir(socketPath(dir)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(socketPath(dir), nil, 0o600); err != nil { // left by a killed process
			t.Fatal(err)
		}
		c, err := listenControl(dir, fakeBacker{}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(socketPath(dir)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info.Mode(), err)
		}
		file := filepath.Join(dir, "copy of the state.db")
		if size, err := backUpState(t.Context(), s, file); err != nil || size != 5 {
			t.Errorf("%d %v", size, err)
		}
		if _, err := askForBackup(t.Context(), socketPath(dir), "relative.db"); keepwatch.KindOf(err) != keepwatch.KindInvalid {
			t.Errorf("a relative path: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if _, err := backUpState(t.Context(), s, file); keepwatch.KindOf(err) != keepwatch.KindNotFound {
			t.Errorf("with nobody there and no state: %v", err)
		}
		c, err = listenControl(dir, fakeBacker{keepwatch.Errorf(keepwatch.KindConflict, "It exists already.")}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := backUpState(t.Context(), s, file); keepwatch.Sentence(err) != "It exists already." || keepwatch.KindOf(err) != keepwatch.KindConflict {
			t.Errorf("the bot's sentence became %v", err)
		}
		_ = c.Close()
	}
}

func TestWeb(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var notReady error
	s := web.New(web.Config{
		Ready: func() error { return notReady }, Version: "v1",
		Open: func() ([]keepwatch.Run, error) { return []keepwatch.Run{{State: keepwatch.RunAttention}}, nil },
		Archives: func() ([]keepwatch.Archive, error) {
			return []keepwatch.Archive{{Source: "notes", Started: noon, Verified: []keepwatch.Verification{{}}}, {Source: "notes", Started: noon.Add(time.Hour)}}, nil
		},
	})
	s.Observe(keepwatch.Run{Kind: keepwatch.RunBackup, State: keepwatch.RunRunning})
	s.Observe(keepwatch.Run{Kind: keepwatch.RunBackup, State: keepwatch.RunDone, Started: noon, Ended: noon.Add(2 * time.Second), Result: keepwatch.Result{Bytes: 1000}})
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	if code, _ := get("/healthz"); code != 200 {
		t.Error(code)
	}
	if code, _ := get("/readyz"); code != 200 {
		t.Error(code)
	}
	notReady = keepwatch.Errorf(keepwatch.KindAttention, "The key file is gone.")
	if code, body := get("/readyz"); code != 503 || !strings.Contains(body, "The key file is gone.") {
		t.Error(code, body)
	}
	notReady = errors.New("secret detail")
	if _, body := get("/readyz"); strings.Contains(body, "secret detail") {
		t.Error(body)
	}
	_, body := get("/metrics")
	for _, want := range []string{
		`keepwatch_runs_total{kind="backup",state="done"} 1`, `keepwatch_run_bytes_total{kind="backup"} 1000`, `keepwatch_runs_open{state="needs attention"} 1`,
		`keepwatch_archive_newest_verified_timestamp_seconds{source="notes"} ` + "1.7955216e+09", `keepwatch_archives{source="notes"} 2`, `keepwatch_build_info{version="v1"} 1`, "go_goroutines",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	addr, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get("http://" + addr.String() + "/healthz")
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("%v %v", resp, err)
	}
	_ = resp.Body.Close()
	if _, err := s.Listen(addr.String()); keepwatch.KindOf(err) != keepwatch.KindInvalid {
		t.Errorf("an address in use: %v", err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
