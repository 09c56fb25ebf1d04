package writer

import (
	"errors"
	"io"

	"keepwatch/pst"
)

// errAsleep is what a Sink says that is used when it is not its turn.
var errAsleep = errors.New("a message was written to when it was not its turn: after its function had returned, or while a message within it was being written")

// turn is the Sink that a function is given for its message. The message itself is used
// again for the next one, which it must not write to.
type turn struct {
	m *message
	n uint64
}

// is tells whether it is still that turn, and fails what is being written now if it is
// not: nothing that somebody gives is lost in silence.
func (s *turn) is() bool {
	if s.n != s.m.turns || !s.m.awake {
		for _, m := range s.m.w.sinks {
			m.fail(errAsleep)
		}
		return false
	}
	return s.m.err == nil
}

// Set gives properties, see [pst.Sink].
func (s *turn) Set(list ...pst.Property) {
	if s.is() {
		s.m.set(list)
	}
}

// Recipient adds a row to the recipient table, see [pst.Sink]. Of what every
// recipient has, these are filled in where they are not given: that it is a person
// (PidTagObjectType, PidTagDisplayType), To (PidTagRecipientType), a name from the
// address, and for one with an address its type, SMTP, its search key and its
// one-off entry id.
func (s *turn) Recipient(p pst.Properties) {
	if s.is() {
		s.m.recipient(p)
	}
}

// Attach adds an attachment, see [pst.Sink]. PidTagAttachSize is always that of what
// is written. If content or the disk fails, the message is undone. An attachment has
// at most 2 GB less one byte.
func (s *turn) Attach(p pst.Properties, content io.Reader) error {
	if !s.is() {
		return s.m.err
	}
	return s.m.attachContent(p, content)
}

// Embed adds a message as an attachment, see [pst.Sink]. Messages are embedded in
// one another at most 32 deep.
func (s *turn) Embed(p pst.Properties, fill func(pst.Sink) error) error {
	if !s.is() {
		return s.m.err
	}
	return s.m.embed(p, fill)
}
