package pst

import (
	"io"
	"iter"
)

// Sink takes one message, in any order: what it is, to whom it went, and what
// hangs on it. The writer is one. A message is finished by returning from the
// function that was given the Sink; an error returned there undoes it whole.
type Sink interface {
	// Set gives properties of the message. One that is given twice has its last
	// value. A value of another Go type than its Type says is an error of the
	// whole message.
	Set(p ...Property)

	// Recipient adds a row to the recipient table ([MS-PST] 2.4.5.3). A name
	// (PidTagDisplayName), an address (PidTagEmailAddress) and PidTagRecipientType
	// are enough: what else every recipient has follows from them.
	Recipient(p Properties)

	// Attach adds an attachment by value (afByValue). Its content is read to the
	// end and streamed into the file; PidTagAttachMethod and PidTagRenderingPosition
	// are set unless they are given, PidTagAttachSize always. A nil content is an
	// attachment without data, such as a link (afByWebReference).
	Attach(p Properties, content io.Reader) error

	// Embed adds an attachment that is a message itself (afEmbeddedMessage).
	Embed(p Properties, fill func(Sink) error) error
}

// Item is a message of a file. The reader has them.
type Item interface {
	// Properties are all of the message. Values longer than what the reader was
	// told to hold in memory are an error.
	Properties() (Properties, error)

	// Recipients are the rows of the recipient table. The iteration ends after
	// the first error.
	Recipients() iter.Seq2[Properties, error]

	// Attachments come in the order of the attachment table.
	Attachments() iter.Seq2[Attachment, error]
}

// Attachment is what hangs on a message.
type Attachment interface {
	// Properties are all but the content.
	Properties() (Properties, error)

	// Open streams the content of an attachment by value, and says how many
	// bytes it is. Where there is none it gives ErrNoContent.
	Open() (io.Reader, int64, error)

	// Message is the message that an embedded one is. Where it is none it gives
	// ErrNoContent.
	Message() (Item, error)
}
