package pst_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"keepwatch/pst"
	"keepwatch/pst/mail"
	"keepwatch/pst/reader"
)

// openReader opens a file with our own reader.
func openReader(t testing.TB, name string) *reader.File {
	t.Helper()
	in, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	info, err := in.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := reader.Open(in, info.Size(), reader.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// withReader lists a file with our own reader: all items below the top.
func withReader(t testing.TB, name string) []seen {
	t.Helper()
	root, err := openReader(t, name).Top()
	if err != nil {
		t.Fatal(err)
	}
	var all []seen
	if err := readFolder(root, nil, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func readFolder(d *reader.Folder, path []string, all *[]seen) error {
	count := 0
	for m, err := range d.Messages() {
		if err != nil {
			return fmt.Errorf("%q: %w", path, err)
		}
		it, err := listItem(m)
		if err != nil {
			return fmt.Errorf("%q, node %v: %w", path, m.Node(), err)
		}
		it.Folder = strings.Join(path, "/")
		*all = append(*all, *it)
		count++
	}
	if count != d.Count() {
		return fmt.Errorf("%q says that it has %d items, and has %d", path, d.Count(), count)
	}
	for sub, err := range d.Folders() {
		if err != nil {
			return fmt.Errorf("below %q: %w", path, err)
		}
		if err := readFolder(sub, append(path[:len(path):len(path)], sub.Name()), all); err != nil {
			return err
		}
	}
	return nil
}

// listItem says in the common words what the interfaces of the package pst give.
func listItem(from pst.Item) (*seen, error) {
	p, err := from.Properties()
	if err != nil {
		return nil, err
	}
	it := commonWords(p)
	for r, err := range from.Recipients() {
		if err != nil {
			return nil, err
		}
		it.Recipients = append(it.Recipients, commonRecipient(r))
	}
	for a, err := range from.Attachments() {
		if err != nil {
			return nil, err
		}
		got, err := listAttachment(a)
		if err != nil {
			return nil, err
		}
		it.Attachments = append(it.Attachments, *got)
	}
	return it, nil
}

func listAttachment(from pst.Attachment) (*seenAttachment, error) {
	p, err := from.Properties()
	if err != nil {
		return nil, err
	}
	a := &seenAttachment{Name: p.Text(pst.PidTagAttachLongFilename), CID: p.Text(pst.PidTagAttachContentId)}
	inner, err := from.Message()
	if err == nil {
		a.Item, err = listItem(inner)
		return a, err
	}
	if !errors.Is(err, pst.ErrNoContent) {
		return nil, err
	}
	r, size, err := from.Open()
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	if a.Size, err = io.Copy(sum, r); err != nil || a.Size != size {
		return nil, fmt.Errorf("%d of %d bytes: %w", a.Size, size, err)
	}
	a.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return a, nil
}

// commonWords are those of the properties of a message.
func commonWords(p pst.Properties) *seen {
	return &seen{Class: p.Text(pst.PidTagMessageClass), ID: p.Text(pst.PidTagInternetMessageId), Subject: mail.Subject(p),
		Sent: p.Time(pst.PidTagClientSubmitTime), Received: p.Time(pst.PidTagMessageDeliveryTime),
		From: seenPerson{p.Text(pst.PidTagSenderName), p.Text(pst.PidTagSenderEmailAddress)},
		Text: p.Text(pst.PidTagBody), HTML: string(p.Bytes(pst.PidTagHtml)), Headers: p.Text(pst.PidTagTransportMessageHeaders)}
}

func commonRecipient(p pst.Properties) seenRecipient {
	return seenRecipient{p.Int(pst.PidTagRecipientType), seenPerson{p.Text(pst.PidTagDisplayName), p.Text(pst.PidTagEmailAddress)}}
}
