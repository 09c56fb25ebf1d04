package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"keepwatch/providers/outlook/graph"
	"keepwatch/providers/outlook/graphtest"
)

// fastClock is a clock that goes so many times as fast as the system's.
type fastClock struct {
	begin time.Time
	speed int
}

func newFastClock(speed int) fastClock { return fastClock{time.Now(), speed} }

func (c fastClock) Now() time.Time {
	return c.begin.Add(time.Since(c.begin) * time.Duration(c.speed))
}

func (c fastClock) AfterFunc(d time.Duration, f func()) func() {
	t := time.AfterFunc(d/time.Duration(c.speed), f)
	return func() { t.Stop() }
}

// fastFrom is the clock of a speed; "" is nil, the system's.
func fastFrom(speed string) graph.Clock {
	n, err := strconv.Atoi(speed)
	if err != nil || n < 1 {
		return nil
	}
	return newFastClock(n)
}

// exports sets what Purview gives.
func (s *tenantStage) exports(args arguments) error {
	dir, err := os.MkdirTemp("", "purview")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "mail.pst")
	if err := makePST(path, args.number(0)); err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	w, err := z.Create("Exchange/alis@contoso.example.pst")
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	s.Purview(graphtest.PurviewOptions{
		Unlicensed: args.at(1) == "unlicensed", Manager: args.at(1) == "manager",
		Files: map[string][]byte{"PSTs.001.zip": packed.Bytes()},
	})
	return nil
}

// same compares the mails of two folders.
func (s *tenantStage) same(args arguments) error {
	got, want := asSeen(s.folder(args[2:])), asSeen(s.folder(args))
	if len(got) != len(want) {
		return fmt.Errorf("%d mails, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			return fmt.Errorf("there is\n%s\nwant\n%s", got[i], want[i])
		}
	}
	return nil
}

// asSeen is what somebody sees of the mails of a folder, in an order of its own. Exchange
// keeps 255 characters of a subject.
func asSeen(f *graphtest.Folder) []string {
	var out []string
	for _, i := range f.Items() {
		m := i.Content()
		attached := make([]string, 0, len(m.Attachments))
		for _, a := range m.Attachments {
			attached = append(attached, fmt.Sprint(a.Name, " ", max(a.Size, len(a.Content))))
		}
		subject := []rune(m.Subject)
		subject = subject[:min(len(subject), 255)]
		to := make([]string, 0, len(m.To))
		for _, a := range m.To {
			to = append(to, a.Address)
		}
		if m.Sent.IsZero() { // as graphtest has it
			m.Sent = m.Received.Add(-time.Second)
		}
		out = append(out, fmt.Sprintf("%q of %s sent %s from %s to %q read %v draft %v %s flag %q %q attached %q",
			strings.TrimSpace(string(subject)), m.Received.UTC().Format(time.DateTime), m.Sent.UTC().Format(time.DateTime), m.From.Address, to, m.Read, m.Draft, cmp.Or(m.Importance, "normal"), cmp.Or(m.Flag, "notFlagged"), m.Categories, attached))
	}
	slices.Sort(out)
	return out
}

// fair is [tenantStage]'s, with so many requests at most that came early.
func (s *tenantStage) fair(most int) error {
	if bad := s.Violations(); len(bad) > 0 {
		return fmt.Errorf("%d violations: %s", len(bad), strings.Join(bad[:min(len(bad), 5)], "; "))
	}
	for _, r := range s.Requests() {
		if r.Flying > 4 && r.User != "" {
			return fmt.Errorf("%d requests at once for a mailbox: %s %s", r.Flying, r.Method, r.Path)
		}
	}
	if n := s.Early(); n > most {
		return fmt.Errorf("%d requests came before Retry-After had passed", n)
	}
	if n := s.Sent(); n > 0 {
		return fmt.Errorf("%d mails or invitations went out", n)
	}
	return nil
}
