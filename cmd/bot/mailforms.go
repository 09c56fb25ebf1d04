package main

import (
	"io"

	"keepwatch"
	"keepwatch/pst"
	"keepwatch/pst/mail"
	"keepwatch/pst/pim"
	"keepwatch/vault/mailbox"
)

// mailForms are the files that items of an Outlook data file are written into. A kind
// that has none here becomes a mail.
func mailForms() map[keepwatch.ItemKind]mailbox.Form {
	return map[keepwatch.ItemKind]mailbox.Form{
		keepwatch.ItemMail: {Ending: ".eml", Write: mail.Export},
		keepwatch.ItemContact: {Ending: ".vcf", Write: func(w io.Writer, it pst.Item) error {
			c, err := pim.ContactOf(it)
			if err != nil {
				return err
			}
			return c.Card(w)
		}},
		keepwatch.ItemTask: {Ending: ".ics", Write: func(w io.Writer, it pst.Item) error {
			t, err := pim.TaskOf(it)
			if err != nil {
				return err
			}
			return t.Calendar(w)
		}},
	}
}
