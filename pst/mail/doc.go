// Package mail turns a mail (RFC 5322 with MIME) into a message of an Outlook data
// file, and any message of one back into a mail. [Import] gives a mail to a
// [pst.Sink]; [Export] writes a [pst.Item].
//
// # What becomes of a mail
//
// Properties follow [MS-OXCMAIL]: the header block as text, subject with its prefix,
// sender, recipients with one-off entry ids, times, importance, sensitivity,
// categories (Keywords), ids, conversation. The first text that is no file is the
// body, with its other form in the same multipart/alternative. Every other part is an
// attachment: by value, streamed through its decoder and never held whole, or an
// embedded message for message/rfc822 (at most 8 deep; deeper ones and encoded ones
// are files). HTML is kept as the bytes that came, with their code page, so that
// nothing inside it has to be changed; only what has no code page of Windows becomes
// UTF-8. The text is not derived from HTML: Outlook does it.
//
// An encrypted or opaque-signed mail of S/MIME is an IPM.Note.SMIME with the CMS as
// its attachment, a clear-signed one an IPM.Note.SMIME.MultipartSigned whose one
// attachment is the multipart/signed as it came ([MS-OXOSMIME]), so that the signature
// stays good. Other signed mails, PGP for instance, are shown like any mail, and the
// mail as it came is attached. The parts of PGP's multipart/encrypted are attachments.
// Delivery reports are an IPM.Note with their parts, as Outlook shows the text of a
// REPORT class only as far as it knows the recipients. winmail.dat is an attachment.
//
// # Broken mail
//
// No mail is refused. What is out of order is told in [Result].Notes. Where something
// of the mail would be lost, the whole mail, as it came, is attached besides, as the
// last attachment "original message (not all of it could be read).eml", whose name says so; and where there is
// no body that could be read, the body says so and why. That is the case where
//   - there is no header,
//   - a header is longer than 2 MB (128 kB of a part) or has more than 10,000 fields, or a list more than 20,000 addresses,
//   - there are more than 5,000 parts, or more than 64 multiparts in one another,
//   - base64 has characters that are none, or ends in the middle,
//   - a text has bytes that its charset does not know, or zero bytes,
//   - more than 1,000 bytes of text lie before the first part or behind the last one.
//
// Nothing is lost, and so nothing attached, by a missing closing boundary, a multipart
// without a boundary (its body is the text), an unknown encoding (the bytes are kept as
// they came), an unknown charset or 8-bit text without one (UTF-8, and each byte that
// is none as Windows-1252; a header in the charset of the text below it), a rubbish line in the header (it stays in the transport
// headers), or a date that cannot be read.
//
// # Why no MIME library
//
// github.com/emersion/go-message v0.18.2 and the standard library were measured on the 42 sample
// mails of enmime and the 48 of Python's test suite. go-message stops with an error
// in 27 of them, the standard library (net/mail, mime/multipart) in 17, and each drops what comes
// after: the part of a multipart whose closing boundary is missing, all of a mail whose
// header has one line without a colon, all parameters where one is there twice. Both
// read parts only one after another, so that bodies would have to be found before
// attachments; and go-message reads a mail with 1 MB of base64 at two thirds of the speed. Here the mail is an
// io.ReaderAt: one pass finds where its parts lie, and nothing that is odd ends it;
// after it each part is read from where it lies. Charsets are those of
// golang.org/x/text.
package mail
