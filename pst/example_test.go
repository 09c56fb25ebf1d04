package pst_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"keepwatch/pst"
	"keepwatch/pst/check"
	"keepwatch/pst/mail"
	"keepwatch/pst/reader"
	"keepwatch/pst/writer"
)

const exampleMail = "From: =?utf-8?Q?Si=C3=A2n?= Jones <sian@example.org>\r\n" +
	"To: Bob <bob@example.org>\r\n" +
	"Subject: RE: The minutes\r\n" +
	"Date: Thu, 26 Nov 2026 08:30:00 +0000\r\n" +
	"Message-ID: <1@example.org>\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=part\r\n\r\n" +
	"--part\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHere they are.\r\n" +
	"--part\r\nContent-Type: text/csv; name=minutes.csv\r\nContent-Disposition: attachment; filename=minutes.csv\r\n" +
	"Content-Transfer-Encoding: base64\r\n\r\nd2hvO3doYXQK\r\n" +
	"--part--\r\n"

// A mail becomes an Outlook data file, which is checked and read back.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "mail.pst")
	if err := exampleWrite(path); err != nil {
		log.Fatal(err)
	}
	if err := exampleShow(path); err != nil {
		log.Fatal(err)
	}
	// Output:
	// checked: 1 message, 0 findings
	// Inbox: 1 item
	// 2026-11-26 08:30 Siân Jones: RE: The minutes
	// To Bob <bob@example.org>
	// minutes.csv: "who;what\n"
}

// exampleWrite makes a file of one mail.
func exampleWrite(path string) error {
	w, err := writer.Create(path, writer.Options{Name: "Mail of Siân"})
	if err != nil {
		return err
	}
	defer w.Abort() // does nothing after Close
	inbox, err := w.Root().Folder("Inbox", "IPF.Note")
	if err != nil {
		return err
	}
	err = inbox.Add(func(s pst.Sink) error {
		result, err := mail.Import(s, strings.NewReader(exampleMail), int64(len(exampleMail)), mail.Options{Read: true})
		for _, note := range result.Notes {
			fmt.Println("out of order:", note)
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = w.Close()
	return err
}

// exampleShow checks a file, and prints what is in it.
func exampleShow(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	report, err := check.File(f, info.Size(), check.Options{})
	if err != nil {
		return err
	}
	fmt.Printf("checked: %d message, %d findings\n", report.Messages, len(report.Findings))
	file, err := reader.Open(f, info.Size(), reader.Options{})
	if err != nil {
		return err
	}
	return file.Walk(func(d *reader.Folder, err error) error {
		if err != nil || d.Count() == 0 {
			return err // of a damaged folder, where one could go on, too
		}
		fmt.Printf("%s: %d item\n", d.Name(), d.Count())
		for m, err := range d.Messages() {
			if err != nil {
				return err
			}
			if err := exampleItem(m); err != nil {
				return err
			}
		}
		return nil
	})
}

// exampleItem prints an item; mail.Export would make a mail of it.
func exampleItem(m pst.Item) error {
	p, err := m.Properties()
	if err != nil {
		return err
	}
	fmt.Printf("%s %s: %s\n", p.Time(pst.PidTagMessageDeliveryTime).Format("2006-01-02 15:04"), p.Text(pst.PidTagSenderName), mail.Subject(p))
	for r, err := range m.Recipients() {
		if err != nil {
			return err
		}
		fmt.Printf("To %s <%s>\n", r.Text(pst.PidTagDisplayName), r.Text(pst.PidTagEmailAddress))
	}
	for a, err := range m.Attachments() {
		if err != nil {
			return err
		}
		p, err := a.Properties()
		if err != nil {
			return err
		}
		content, _, err := a.Open()
		if err != nil {
			return err
		}
		data, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %q\n", p.Text(pst.PidTagAttachLongFilename), data)
	}
	return nil
}
