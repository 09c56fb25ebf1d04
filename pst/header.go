package pst

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Format is the variant of a file, from wVer ([MS-PST] 2.2.2.6).
type Format string

// The variants.
const (
	ANSI      Format = "ANSI"       // wVer 14 or 15: Outlook 97 to 2002, at most 2 GB
	Unicode   Format = "Unicode"    // wVer 23: Outlook 2003 and later
	Unicode4K Format = "Unicode 4K" // wVer 36 or 37: 4,096-byte pages, offline folders of Outlook 2013 and later
)

// Crypt is how the data blocks are encoded, from bCryptMethod ([MS-PST] 5.1 to
// 5.3). None of them keeps anything secret.
type Crypt uint8

// The encodings.
const (
	CryptNone    Crypt = 0
	CryptPermute Crypt = 1 // NDB_CRYPT_PERMUTE, Outlook's default
	CryptCyclic  Crypt = 2 // NDB_CRYPT_CYCLIC
	CryptEDP     Crypt = 0x10
)

func (c Crypt) String() string {
	switch c {
	case CryptNone:
		return "not encoded"
	case CryptPermute:
		return "permuted"
	case CryptCyclic:
		return "cyclic"
	case CryptEDP:
		return "encrypted with Windows Information Protection"
	}
	return fmt.Sprintf("encoding %d", uint8(c))
}

// Header is what the first bytes of a file say.
type Header struct {
	Format    Format
	Version   uint16 // wVer
	Crypt     Crypt
	Size      int64 // ibFileEof: how long the file says that it is, in bytes
	Excess    int64 // how many bytes the file is longer than that
	MapsValid bool  // fAMapValid: false after a crash of Outlook, which mends it when it opens the file
}

// Rule is what a file breaks.
type Rule string

// The rules of ReadHeader.
const (
	RuleShort     Rule = "too short"    // it ends within the header
	RuleMagic     Rule = "magic"        // dwMagic is not "!BDN"
	RuleClient    Rule = "client magic" // wMagicClient is not "SM"
	RuleVersion   Rule = "version"      // wVer is none that is known
	RuleCRC       Rule = "header CRC"   // dwCRCPartial or dwCRCFull does not fit
	RuleTruncated Rule = "truncated"    // the file is shorter than ibFileEof
	RuleSentinel  Rule = "sentinel"     // bSentinel is not 0x80
	RuleCrypt     Rule = "crypt method" // bCryptMethod is none that is known
)

// HeaderError says why a file is not a whole Outlook data file.
type HeaderError struct {
	Rule Rule
	Text string // a sentence
}

func (e *HeaderError) Error() string { return e.Text }

// Sizes and offsets of the header, [MS-PST] 2.2.2.6.
const (
	unicodeHeader = 564
	ansiHeader    = 512
)

// ReadHeader reads the header of a file of size bytes. Its error is a
// *HeaderError, or one of r.
func ReadHeader(r io.ReaderAt, size int64) (Header, error) {
	buf := make([]byte, unicodeHeader)
	n, err := r.ReadAt(buf, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Header{}, fmt.Errorf("read the header: %w", err)
	}
	buf = buf[:n]
	if n < 4 || string(buf[:4]) != "!BDN" {
		return Header{}, wrong(RuleMagic, "It does not begin with !BDN, as every Outlook data file does.")
	}
	if n < ansiHeader {
		return Header{}, wrong(RuleShort, "It ends after %d bytes, within its header.", n)
	}
	if string(buf[8:10]) != "SM" {
		return Header{}, wrong(RuleClient, "Its header does not say SM, as that of an Outlook data file does.")
	}
	h := Header{Version: binary.LittleEndian.Uint16(buf[10:])}
	switch h.Version {
	case 14, 15:
		h.Format = ANSI
		err = h.ansi(buf)
	case 23, 36, 37:
		h.Format = Unicode
		if h.Version != 23 {
			h.Format = Unicode4K
		}
		err = h.unicode(buf)
	default:
		err = wrong(RuleVersion, "Its version is %d; Outlook writes 14, 15, 23, 36 or 37.", h.Version)
	}
	if err != nil {
		return h, err
	}
	if size < h.Size {
		return h, wrong(RuleTruncated, "It is cut off: it is %d bytes long and should be %d.", size, h.Size)
	}
	h.Excess = size - h.Size
	return h, nil
}

// unicode reads the fields of a Unicode header.
func (h *Header) unicode(buf []byte) error {
	if len(buf) < unicodeHeader {
		return wrong(RuleShort, "It ends after %d bytes, within its header.", len(buf))
	}
	partial, full := binary.LittleEndian.Uint32(buf[4:]), binary.LittleEndian.Uint32(buf[524:])
	if Checksum(buf[8:8+471]) != partial || Checksum(buf[8:8+516]) != full {
		return wrong(RuleCRC, "Its header is damaged: the checksum does not fit.")
	}
	h.Size = int64(binary.LittleEndian.Uint64(buf[184:]))
	h.MapsValid = buf[248] != 0
	return h.tail(buf[512], buf[513])
}

// ansi reads the fields of an ANSI header.
func (h *Header) ansi(buf []byte) error {
	if Checksum(buf[8:8+471]) != binary.LittleEndian.Uint32(buf[4:]) {
		return wrong(RuleCRC, "Its header is damaged: the checksum does not fit.")
	}
	h.Size = int64(binary.LittleEndian.Uint32(buf[168:]))
	h.MapsValid = buf[200] != 0
	return h.tail(buf[460], buf[461])
}

func (h *Header) tail(sentinel, crypt byte) error {
	if sentinel != 0x80 {
		return wrong(RuleSentinel, "Its header is damaged: the sentinel is %#x and should be 0x80.", sentinel)
	}
	h.Crypt = Crypt(crypt)
	switch h.Crypt {
	case CryptNone, CryptPermute, CryptCyclic, CryptEDP:
	default:
		return wrong(RuleCrypt, "Its header names an encoding that is not known (%d).", crypt)
	}
	if h.Size < 0 {
		return wrong(RuleTruncated, "Its header gives an impossible size.")
	}
	return nil
}

func wrong(rule Rule, format string, args ...any) error {
	return &HeaderError{rule, fmt.Sprintf(format, args...)}
}
