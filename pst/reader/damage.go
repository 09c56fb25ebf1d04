package reader

import (
	"errors"
	"fmt"

	"keepwatch/pst"
)

// ErrUnsupported is what Open says of whole files that it cannot read: those with
// pages of 4,096 bytes (offline folders of Outlook 2013 and later), and those
// encrypted with Windows Information Protection.
var ErrUnsupported = errors.New("this kind of Outlook data file cannot be read")

// ErrTooLong is part of the error for a value that is longer than
// [Options.MaxValue]. [Message.Open] streams it.
var ErrTooLong = errors.New("longer than what is held in memory")

// Damage is a part of a file that cannot be read as it should.
type Damage struct {
	Node   pst.NID // of the folder or message that it belongs to; 0 where that is not known
	Offset int64   // bytes from the start of the file; 0 where it has no place of its own
	Text   string  // what is wrong, for a person
	Err    error   // the cause, if there is one
}

func (d *Damage) Error() string {
	switch {
	case d.Node != 0 && d.Offset != 0:
		return fmt.Sprintf("node %v, offset %#x: %s", d.Node, d.Offset, d.Text)
	case d.Node != 0:
		return fmt.Sprintf("node %v: %s", d.Node, d.Text)
	case d.Offset != 0:
		return fmt.Sprintf("offset %#x: %s", d.Offset, d.Text)
	}
	return d.Text
}

func (d *Damage) Unwrap() error { return d.Err }

func damaged(offset int64, format string, args ...any) error {
	return &Damage{Offset: offset, Text: fmt.Sprintf(format, args...)}
}

// of names the node in a damage that has none yet.
func of(n pst.NID, err error) error {
	d, ok := errors.AsType[*Damage](err)
	if !ok || d.Node != 0 {
		return err
	}
	c := *d
	c.Node = n
	return &c
}

// isDamage tells it from an error of the file below, which ends everything.
func isDamage(err error) bool {
	_, ok := errors.AsType[*Damage](err)
	return ok
}

func asDamage(err error) (*Damage, bool) { return errors.AsType[*Damage](err) }
