// Package pst is the vocabulary of Outlook data files (PST): the names of
// properties, nodes and types, and the byte-level algorithms that everybody who
// reads or writes such a file needs. The packages below it do the work, and know
// nothing of one another:
//
//   - pst/writer makes a file, streaming and append-only
//   - pst/reader reads one, whoever wrote it
//   - pst/check is strict: it finds what Outlook would refuse or mend
//   - pst/mail turns a mail (RFC 5322, MIME) into an item of a file, and back
//   - pst/pim does so for contacts (vCard), appointments, tasks and notes (iCalendar)
//
// They meet in two interfaces. Whoever has a message gives it to a [Sink], which the
// writer is; whoever wants one takes an [Item], which the reader has.
//
// The format is described in [MS-PST], Outlook Personal Folders (.pst) File
// Format, Microsoft; the properties in [MS-OXPROPS], Exchange Server Protocols
// Master Property List. Section numbers in comments are those of [MS-PST] unless
// another document is named. The tree stands alone: it imports nothing of
// Keepwatch, and apart from the standard library only modules for text encodings
// and for MIME.
package pst
