package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/restore"
	"keepwatch/vault"
)

// A vault reads the files of a mailbox in one pass.
var _ providers.Walker = (*vault.Vault)(nil)

// inboxes is a mailbox that takes everything.
type inboxes struct {
	mu  sync.Mutex
	got map[string]string // by folder and Item.ID
}

func (b *inboxes) MakeFolder(_ context.Context, _ string, kind outlook.Kind, parent, name string) (outlook.Folder, error) {
	return outlook.Folder{ID: parent + "/" + name, Kind: kind, Path: []string{name}}, nil
}

func (b *inboxes) Marked(context.Context, string, outlook.Folder, int64) iter.Seq2[outlook.Marked, error] {
	return func(func(outlook.Marked, error) bool) {}
}

func (b *inboxes) Known(context.Context, string, outlook.Folder) iter.Seq2[outlook.Mark, error] {
	return func(func(outlook.Mark, error) bool) {}
}

func (b *inboxes) Present(context.Context, string, outlook.Folder) iter.Seq2[outlook.Item, error] {
	return func(func(outlook.Item, error) bool) {}
}

func (b *inboxes) Holds(context.Context, string, outlook.Folder, []string) (map[string]bool, error) {
	return nil, nil
}

func (b *inboxes) Put(_ context.Context, _ string, folder outlook.Folder, item outlook.Item, _ outlook.Mark, content io.ReaderAt, size int64) (outlook.Restored, error) {
	data, err := io.ReadAll(io.NewSectionReader(content, 0, size))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got[folder.ID+" "+item.ID] = string(data)
	return outlook.Restored{Whole: true}, err
}

// noSpools is for items that all fit into memory.
type noSpools struct{ outlook.Spools }

func (noSpools) Remove(int64) error { return nil }

// sealMailbox makes an archive of two folders with n mails each.
func sealMailbox(t *testing.T, v *vault.Vault, n int) keepwatch.Archive {
	t.Helper()
	run := keepwatch.Run{ID: 1, Source: "alis-mail", Started: time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)}
	w, err := v.Begin(run)
	if err != nil {
		t.Fatal(err)
	}
	var index bytes.Buffer
	state := outlook.State{Version: 1, Mailbox: "alis@contoso.example"}
	add := func(path, content string) {
		e := keepwatch.Entry{Path: path, Type: keepwatch.EntryFile, Size: int64(len(content)), Mode: 0o600, ModTime: run.Started}
		if err := w.Add(e, strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"Inbox", "Sent"} {
		state.Folders = append(state.Folders, outlook.FolderState{Folder: outlook.Folder{ID: name, Kind: outlook.Mail, Path: []string{name}}, Whole: true, Kept: int64(n)})
		for i := range n {
			l := outlook.Line{Item: outlook.Item{ID: fmt.Sprint(i), Folder: name, Kind: outlook.Mail, Subject: "A mail"}, Path: fmt.Sprintf("mail/%s/%d.eml", name, i)}
			add(l.Path, fmt.Sprintf("mail %d of %s", i, name))
			line, _ := json.Marshal(l)
			index.Write(append(line, '\n'))
		}
	}
	said, _ := json.Marshal(state)
	add(outlook.IndexPath, index.String())
	add(outlook.StatePath, string(said))
	if run.Result, err = w.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := v.Publish(run, keepwatch.Archive{Source: run.Source, Kind: keepwatch.KindOutlook, Started: run.Started, Finished: run.Started, Verified: []keepwatch.Verification{{At: run.Started, Level: keepwatch.LevelOpened}}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestMailboxOutOfTheVault: what was sealed of a mailbox is what is put back of it.
func TestMailboxOutOfTheVault(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key.txt")
	recipient, err := vault.NewIdentity(key)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(vault.Config{Dir: filepath.Join(dir, "vault"), Recipients: []string{recipient}, IdentityFile: key})
	if err != nil {
		t.Fatal(err)
	}
	const n = 300
	set := providers.Set{Archive: sealMailbox(t, v, n), From: v}
	box := &inboxes{got: map[string]string{}}
	p, err := restore.New(outlook.Config{Restorer: box, Spools: noSpools{}, Now: func() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	source := keepwatch.Source{Name: "alis-mail", Kind: keepwatch.KindOutlook, Mailbox: "alis@contoso.example"}
	plan, err := p.PlanReturn(t.Context(), source, []providers.Set{set}, keepwatch.ReturnAsk{Parts: []string{"Sent"}})
	if err != nil || len(plan.Items) != 1 {
		t.Fatal(plan, err)
	}
	job := providers.Job{Source: source, Run: 7, Report: func(keepwatch.Progress) {}}
	if _, err := p.Return(t.Context(), job, plan.Items[0], v); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if got, want := box.got[fmt.Sprintf("/Restored 2026-11-23/Sent %d", i)], fmt.Sprintf("mail %d of Sent", i); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if len(box.got) != n {
		t.Errorf("%d items were put back", len(box.got))
	}
}
