package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"keepwatch/pst"
	"keepwatch/pst/mail"
	"keepwatch/pst/pim"
	"keepwatch/pst/reader"
	"keepwatch/pst/writer"
	"keepwatch/vault/mailbox"
)

// pstSubjects are those of the mails of a made mailbox, in turn.
var pstSubjects = []string{"Minutes", "Minutes", "a/b\\c: d?", "Übung 日本語 עברית", "CON", strings.Repeat("long ", 60), "../../escape"}

// makePST writes an Outlook data file with so many mails in Inbox, as many in
// Inbox/Projects 2024, and a contact. The same count gives the same file.
func makePST(path string, count int) error {
	begin := time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC)
	w, err := writer.Create(path, writer.Options{Name: "Alis", Now: func() time.Time { return begin }, RecordKey: func() pst.GUID { return pst.GUID{1, 2, 3} }})
	if err != nil {
		return err
	}
	inbox, err := w.Root().Folder("Inbox", "IPF.Note")
	if err != nil {
		return err
	}
	projects, err := inbox.Folder("Projects 2024", "IPF.Note")
	if err != nil {
		return err
	}
	for i := range 2 * count {
		folder := inbox
		if i >= count {
			folder = projects
		}
		at := begin.Add(time.Duration(i) * time.Hour)
		eml := fmt.Sprintf("From: Bethan <bethan@contoso.example>\r\nTo: alis@contoso.example\r\nDate: %s\r\nSubject: %s\r\nMessage-ID: <%d@contoso.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe text of mail %d.\r\n",
			at.Format(time.RFC1123Z), pstSubjects[i%len(pstSubjects)], i, i)
		err := folder.Add(func(s pst.Sink) error {
			_, err := mail.Import(s, strings.NewReader(eml), int64(len(eml)), mail.Options{Received: at, Read: true})
			return err
		})
		if err != nil {
			return err
		}
	}
	contacts, err := w.Root().Folder("Contacts", "IPF.Contact")
	if err != nil {
		return err
	}
	for card, err := range pim.ReadCards(strings.NewReader("BEGIN:VCARD\r\nVERSION:3.0\r\nN:Parry;Bethan;;;\r\nFN:Bethan Parry\r\nEMAIL:bethan@contoso.example\r\nEND:VCARD\r\n")) {
		if err != nil {
			return err
		}
		if err := contacts.Add(card.Write); err != nil {
			return err
		}
	}
	_, err = w.Close()
	return err
}

// hurtPST breaks a byte of an Outlook data file, in the list of the items of a folder.
func hurtPST(path string) error {
	good, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	listed := func(d *reader.Damage) bool {
		return d.Node.Type() == pst.NodeContents && d.Node.As(pst.NodeFolder) != pst.NIDDeletedItems // which is empty
	}
	for at := 0x4800; at < len(good); at += 64 {
		good[at] ^= 1
		f, err := reader.Open(bytes.NewReader(good), int64(len(good)), reader.Options{})
		if err != nil {
			return err
		}
		whole, err := f.Intact(context.Background())
		if err != nil {
			return err
		}
		if s, err := f.Summary(context.Background(), reader.SummaryOptions{}); err == nil && whole && slices.ContainsFunc(s.Damage, listed) {
			return os.WriteFile(path, good, 0o600)
		}
		good[at] ^= 1
	}
	return fmt.Errorf("no byte of %s is needed for a list of items", path)
}

// unrootPST zeroes the root page of the tree of nodes, where the header says that it lies
// (BREFNBT, [MS-PST] 2.2.2.5).
func unrootPST(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	at := binary.LittleEndian.Uint64(data[224:])
	clear(data[at : at+512])
	return os.WriteFile(path, data, 0o600)
}

// cmdPST makes an Outlook data file: pst FILE COUNT [hurt|rootless].
func cmdPST(ts *testscript.TestScript, _ bool, args []string) {
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(makePST(ts.MkAbs(args[0]), count))
	switch {
	case len(args) > 2 && args[2] == "rootless":
		ts.Check(unrootPST(ts.MkAbs(args[0])))
	case len(args) > 2:
		ts.Check(hurtPST(ts.MkAbs(args[0])))
	}
}

// TestMadePST: the files that stories are about hold what they should.
func TestMadePST(t *testing.T) {
	path := t.TempDir() + "/mail.pst"
	if err := makePST(path, 20); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mailbox.Lister{}.List(t.Context(), bytes.NewReader(data), int64(len(data)))
	if err != nil || m.Items != 41 || m.Hurt() || len(m.Folders) != 4 {
		t.Errorf("%v %+v", err, m)
	}
}
