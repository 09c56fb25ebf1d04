package writer_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"keepwatch/pst"
	"keepwatch/pst/writer"
)

// A message is made of properties where there is no mail to make it of: see pst/mail and
// pst/pim for those. Attachments stream from wherever they are.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w, err := writer.Create(filepath.Join(dir, "mail.pst"), writer.Options{Name: "Mail of Siân"})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Abort() // does nothing after Close
	projects, err := w.Root().Folder("Projects", "IPF.Note")
	if err != nil {
		log.Fatal(err)
	}
	house, err := projects.Folder("House", "IPF.Note")
	if err != nil {
		log.Fatal(err)
	}
	err = house.Add(func(s pst.Sink) error {
		s.Set(
			pst.P(pst.PidTagSubject, "The plan"),
			pst.P(pst.PidTagBody, "See what is attached."),
			pst.P(pst.PidTagMessageFlags, int32(pst.FlagRead)),
			pst.P(pst.PidTagMessageDeliveryTime, time.Date(2026, 11, 26, 8, 30, 0, 0, time.UTC)),
			pst.P(pst.PidNameKeywords, []string{"Work"}),
		)
		s.Recipient(pst.Properties{
			pst.P(pst.PidTagDisplayName, "Bob"),
			pst.P(pst.PidTagEmailAddress, "bob@example.org"),
			pst.P(pst.PidTagRecipientType, int32(pst.RecipientTo)),
		})
		return s.Attach(pst.Properties{pst.P(pst.PidTagAttachLongFilename, "plan.txt")}, strings.NewReader("Sleep."))
	})
	if err != nil {
		log.Fatal(err)
	}
	volumes, err := w.Close()
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range volumes {
		fmt.Printf("%s: %d message, %d bytes\n", filepath.Base(v.Path), v.Messages, v.Size)
	}
	// Output: mail.pst: 1 message, 271360 bytes
}
