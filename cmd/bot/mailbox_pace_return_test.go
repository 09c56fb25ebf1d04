package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph/putback"
	"keepwatch/providers/outlook/graphtest"
	"keepwatch/providers/outlook/restore"
)

// lettered is an archive of one folder with so many mails, in memory. size is that of the
// attachment of each; 0: none.
type lettered struct {
	count, size int
}

func (a lettered) mail(i int) string {
	head := fmt.Sprintf("From: Bethan <bethan@contoso.example>\r\nTo: alis@contoso.example\r\nSubject: Mail %d\r\nDate: Fri, 20 Nov 2026 09:30:00 +0000\r\nMessage-ID: <%d@contoso.example>\r\nMIME-Version: 1.0\r\n", i, i)
	if a.size == 0 {
		return head + "Content-Type: text/plain; charset=utf-8\r\n\r\nA short text.\r\n"
	}
	lines := strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", a.size/57)
	return head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nA short text.\r\n--b\r\nContent-Type: application/pdf; name=report.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines + "--b--\r\n"
}

func (a lettered) path(i int) string { return fmt.Sprintf("mail/Inbox/%d.eml", i) }

// OpenEntry opens a file of the archive.
func (a lettered) OpenEntry(_ context.Context, _, path string) (keepwatch.Entry, io.ReadCloser, error) {
	var out bytes.Buffer
	switch path {
	case outlook.StatePath:
		said, err := json.Marshal(outlook.State{Version: 1, Mailbox: paceOwner, Folders: []outlook.FolderState{{Folder: outlook.Folder{ID: "in", Kind: outlook.Mail, Path: []string{"Inbox"}}, Whole: true, Kept: int64(a.count)}}})
		return keepwatch.Entry{}, io.NopCloser(bytes.NewReader(said)), err
	case outlook.IndexPath:
		for i := range a.count {
			line, err := json.Marshal(outlook.Line{Path: a.path(i), Bytes: int64(len(a.mail(i))), Item: outlook.Item{
				ID: fmt.Sprint("id", i), Folder: "in", Kind: outlook.Mail, Subject: fmt.Sprintf("Mail %d", i), At: storyDay, MessageID: fmt.Sprintf("<%d@contoso.example>", i),
			}})
			if err != nil {
				return keepwatch.Entry{}, nil, err
			}
			out.Write(append(line, '\n'))
		}
		return keepwatch.Entry{}, io.NopCloser(&out), nil
	}
	return keepwatch.Entry{}, nil, keepwatch.Errorf(keepwatch.KindNotFound, "There is no %s.", path)
}

// WalkEntries reads the files of the archive in one pass.
func (a lettered) WalkEntries(_ context.Context, _ string, want func(string) bool, visit func(keepwatch.Entry, io.Reader) error) error {
	for i := range a.count {
		if !want(a.path(i)) {
			continue
		}
		if err := visit(keepwatch.Entry{Path: a.path(i)}, strings.NewReader(a.mail(i))); err != nil {
			return err
		}
	}
	return nil
}

// putBack puts all of an archive into the mailbox.
func (p *paced) putBack(ctx context.Context, a lettered) error {
	var err error
	if p.cfg.Restorer, err = putback.New(putback.Config{Client: p.client}); err != nil {
		return err
	}
	r, err := restore.New(p.cfg)
	if err != nil {
		return err
	}
	source := p.job().Source
	plan, err := r.PlanReturn(ctx, source, []providers.Set{{Archive: keepwatch.Archive{Source: source.Name, Stamp: "1", Started: storyDay}, From: a}}, keepwatch.ReturnAsk{})
	if err != nil {
		return err
	}
	for _, item := range plan.Items {
		job := providers.Job{Source: source, Run: 7, Began: time.Now(), Report: func(keepwatch.Progress) {}, Keep: func(json.RawMessage) error { return nil }}
		if _, err := r.Return(ctx, job, item, a); err != nil {
			return err
		}
	}
	return nil
}

// TestMailboxReturnPace: a restore uses at least nine tenths of what Microsoft allows of
// calls; large attachments are bound by the bytes that it takes in five minutes instead.
func TestMailboxReturnPace(t *testing.T) {
	for name, a := range map[string]lettered{
		"short mails":                {count: 3000},
		"with attachments of 200 kB": {count: 500, size: 200_000},
		"longer than the window":     {count: 12_000},
	} {
		t.Run(name, func(t *testing.T) {
			n, dir := graphtest.New(t, graphtest.Options{Latency: paceLatency}), t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				p := newPaced(t, n, dir)
				if err := p.putBack(t.Context(), a); err != nil {
					t.Fatal(err)
				}
				p.check(t, a.count)
				if n.Sent() > 0 {
					t.Errorf("%d mails were sent", n.Sent())
				}
			})
		})
	}
}
