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
		keepwatch.ItemEvent: {Ending: ".ics", Write: writeEvent},
		keepwatch.ItemTask: {Ending: ".ics", Write: func(w io.Writer, it pst.Item) error {
			t, err := pim.TaskOf(it)
			if err != nil {
				return err
			}
			return t.Calendar(w)
		}},
	}
}

// writeEvent writes an appointment with the exceptions of its series. What hangs on it
// goes into a mail beside it, which has a place for attached messages too.
func writeEvent(w io.Writer, it pst.Item) error {
	e, broken := pim.EventOf(it)
	if e == nil {
		return broken
	}
	e.Attachments = nil
	if err := pim.WriteCalendar(w, e); err != nil {
		return err
	}
	if broken != nil {
		return &mailbox.Partial{Err: broken}
	}
	return nil
}
