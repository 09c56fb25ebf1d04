// Package pim turns what people keep beside their mail into items of an Outlook
// data file, and back: contacts from and to vCard (2.1, 3.0 and 4.0: RFC 2426, RFC
// 6350), appointments and tasks from and to iCalendar (RFC 5545, RFC 7986), and
// notes.
//
// Each kind has a struct of plain Go values. What reads a text gives such structs,
// what writes into a file takes a [pst.Sink], what reads an item takes a [pst.Item]:
//
//	calendar, err := pim.ReadCalendar(r)      // text to values
//	err = calendar.Events[0].Write(sink)      // values to an item
//	event, err := pim.EventOf(item)           // an item to values
//	err = pim.WriteCalendar(w, event)         // values to text
//
// Nothing that a text says may be lost without a word: what an item of Outlook has
// no place for is named in notes, and where it changes what the item means, the
// original text hangs on the item as an attachment.
//
// Zones of time come from the text itself (VTIMEZONE), from the item, or from the
// zones that the program has ([time.LoadLocation]). A program that runs where there
// is no zone database imports time/tzdata.
package pim
