package keepwatch

import (
	"context"
	"errors"
	"fmt"
)

// ErrDamaged is in the chain of errors that say that an archive is not as it
// was sealed, so that whoever meets one can see to it that it no longer counts.
var ErrDamaged = errors.New("the archive is damaged")

// Kind sorts errors by who can act on them.
type Kind uint8

const (
	// KindInternal is a fault of ours or of the machine. People are shown a
	// request number; the cause goes to the log. It is the zero value, so
	// that an error nobody classified is treated as the worst.
	KindInternal  Kind = iota
	KindInvalid        // the request or the configuration is wrong; the sentence says what is expected
	KindDenied         // this person may not do this
	KindNotFound       // what was named does not exist
	KindConflict       // it clashes with something that runs or exists; the sentence names it
	KindTransient      // worth another try without anybody doing anything
	KindAttention      // a person must do something first (free the disk, put the key back); then Retry
	KindCancelled      // a person stopped it; not a failure
)

var kindNames = [...]string{"internal", "invalid", "denied", "not found", "conflict", "transient", "attention", "cancelled"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "internal"
}

// MarshalText writes the name, so that saved records survive renumbering.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a name; an unknown one becomes KindInternal.
func (k *Kind) UnmarshalText(b []byte) error {
	*k = KindInternal
	for i, n := range kindNames {
		if n == string(b) {
			*k = Kind(i)
		}
	}
	return nil
}

// Error is an error that a person may be shown. Message is a whole sentence for
// the person who can act: what happened and what to do. Err is the cause, for
// the log and for errors.Is; it is never shown where Message is.
type Error struct {
	Kind    Kind
	Message string
	Err     error
}

// Error gives the sentence and the cause, for logs.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	if e.Message == "" {
		return e.Err.Error()
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error whose Message is the formatted sentence.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Because gives a copy of e with its cause set.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Err = cause
	return &c
}

// KindOf gives the kind of the outermost Error in err's chain. A cancelled
// context without one counts as cancelled, anything else as internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	if errors.Is(err, context.Canceled) {
		return KindCancelled
	}
	return KindInternal
}

// Sentence gives what a person is told about err: the Message of the outermost
// Error in its chain, or "" where there is none, so that the caller shows a
// request number instead of an internal cause.
func Sentence(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Message
	}
	return ""
}
