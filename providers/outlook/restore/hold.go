package restore

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Bounds of what is held of the file of an item that is looked through, in bytes. Up to
// heldInMemory it is held as it is.
const (
	partHeld  = 4 << 20  // of one of the parts of a longer one
	allHeld   = 24 << 20 // of all parts together
	laterHeld = 16 << 10 // of each part behind that
	mostHeld  = 32 << 20 // of all of it
)

// beginsPart tells of a line of a mail that may begin a part (RFC 2046 5.1.1): no line of
// base64 does.
func beginsPart(line []byte) bool { return bytes.HasPrefix(line, []byte("--")) }

// beginsProperty tells of a line of a calendar or a vCard that does not go on with the one
// before it (RFC 5545 3.1, RFC 6350 3.2).
func beginsProperty(line []byte) bool { return line[0] != ' ' && line[0] != '\t' }

// hold reads a file to its end, so that what is damaged in it is met. Of one that is long,
// it keeps the beginning of each part. The names of attachments and the texts are kept so,
// and most of what is attached is not. cut says that something was left out.
func hold(body io.Reader, beginsPart func(line []byte) bool) (data []byte, cut bool, err error) {
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(body, heldInMemory+1))
	if err != nil || n <= heldInMemory {
		return b.Bytes(), false, err
	}
	lines := bufio.NewReaderSize(io.MultiReader(&b, body), 64<<10)
	var kept bytes.Buffer
	part, begins := 0, true
	for {
		line, err := lines.ReadSlice('\n')
		if begins && len(line) > 0 && beginsPart(line) {
			part = 0
		}
		room := partHeld
		if kept.Len() > allHeld {
			room = laterHeld
		}
		if part += len(line); part <= room && kept.Len()+len(line) <= mostHeld {
			kept.Write(line)
		} else {
			cut = true
		}
		begins = err == nil
		switch {
		case errors.Is(err, io.EOF):
			return kept.Bytes(), cut, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return nil, cut, err
		}
	}
}
