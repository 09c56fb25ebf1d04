package files

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"runtime/debug"

	"keepwatch/pst"
	"keepwatch/pst/reader"
)

// holdsMail reports whether an Outlook data file can be found behind a header that is
// damaged.
func (p *Provider) holdsMail(ctx context.Context, f io.ReaderAt, name string, size int64) (found bool, err error) {
	defer func() {
		if broken := recover(); broken != nil { // a file that breaks our own code is not kept out for it
			p.log.Error("looking for what is left of an Outlook data file broke off", "file", name, "panic", broken, "stack", string(debug.Stack()))
			found, err = true, nil
		}
	}()
	_, err = reader.Rescue(ctx, f, size, reader.Options{})
	switch {
	case err == nil:
		return true, nil
	case context.Cause(ctx) != nil:
		return false, stopped{context.Cause(ctx)}
	case errors.Is(err, reader.ErrNothing) || errors.Is(err, reader.ErrUnsupported):
		return false, nil
	}
	return false, gone(name, err)
}

// headerBytes is how long the header of an Outlook data file is, and longest more than any
// is: Outlook ends at 50 GB unless it is told otherwise.
const (
	headerBytes = 564
	longest     = 1 << 42
)

// headAlone reports whether a header may be all that is damaged of a file: it is not cut
// off, as one that is still being copied is. Where the header says that the file should be
// longer, that may be what is damaged of it: its checksum fits then with the length that
// the file has. Offsets: [MS-PST] 2.2.2.6.
func headAlone(f io.ReaderAt, size int64, bad *pst.HeaderError) bool {
	b := make([]byte, headerBytes)
	if n, _ := f.ReadAt(b, 0); n < len(b) || bad.Rule == pst.RuleTruncated || bad.Rule == pst.RuleShort {
		return false
	}
	var said uint64 // ibFileEof
	is := binary.LittleEndian.AppendUint64(nil, uint64(size))
	if v := binary.LittleEndian.Uint16(b[10:]); v == 14 || v == 15 { // ANSI
		said = uint64(binary.LittleEndian.Uint32(b[168:]))
		copy(b[168:], is[:4])
	} else {
		said = binary.LittleEndian.Uint64(b[184:])
		copy(b[184:], is)
	}
	if said <= uint64(size) || said%512 != 0 || said > longest { // what it says is no length, then
		return true
	}
	return pst.Checksum(b[8:8+471]) == binary.LittleEndian.Uint32(b[4:])
}
