package cpaneltest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
)

// Kinds of damage of a full backup.
const (
	Truncated       = "truncated"        // the last third is missing
	TruncatedMember = "truncated-member" // the tar ends between two members, without its end, gzip fine
	BitFlip         = "bit-flip"         // one bit within the compressed data
	WrongCRC        = "wrong-crc"        // the checksum at the end of gzip
	WrongSize       = "wrong-size"       // the length at the end of gzip
	ZeroTail        = "zero-tail"        // the last third is zeros, as after a full disk
	HTMLPage        = "html-page"        // a login page in its place
	Empty           = "empty"            // 0 bytes
	NoAccount       = "no-account"       // cp/USER is missing
	NoVersion       = "no-version"       // version is missing
	NoHome          = "no-home"          // the home directory is missing
	NoDatabase      = "no-database"      // the first database has no dump
	CutDump         = "cut-dump"         // the first dump ends in the middle, tar and gzip fine
	DumpError       = "dump-error"       // mysqldump's error is in the first dump, tar and gzip fine
	EmptyDump       = "empty-dump"       // the first dump has 0 bytes
	GarbageAfter    = "garbage-after"    // bytes that are no gzip come after its end
	SecondTop       = "second-top"       // a member lies beside the one folder
	AbsolutePath    = "absolute-path"    // a member's name begins with a slash
	ParentPath      = "parent-path"      // a member's name leads out with ..
	NotGzip         = "not-gzip"         // a tar that is not compressed
	NotTar          = "not-tar"          // gzip of something else
	ShortTar        = "short-tar"        // the tar ends in the middle of its largest member, gzip fine
)

// Damages lists the kinds of damage.
func Damages() []string {
	return []string{
		Truncated, TruncatedMember, BitFlip, WrongCRC, WrongSize, ZeroTail, HTMLPage, Empty, NoAccount, NoVersion, NoHome, NoDatabase, CutDump, DumpError, EmptyDump,
		GarbageAfter, SecondTop, AbsolutePath, ParentPath, NotGzip, NotTar, ShortTar,
	}
}

// Damage gives a copy of an archive of [WriteArchive] that is broken in one way. An
// archive that is none, and a kind that is not one of [Damages], panic.
func Damage(kind string, archive []byte) []byte {
	out := bytes.Clone(archive)
	n := len(out)
	switch kind {
	case Truncated:
		return out[:n*2/3]
	case BitFlip:
		out[n/2] ^= 0x10
	case WrongCRC:
		out[n-6] ^= 0xff
	case WrongSize:
		out[n-2] ^= 0x01
	case ZeroTail:
		clear(out[n*2/3:])
	case HTMLPage:
		return []byte("<!DOCTYPE html>\n<html><head><title>cPanel Login</title></head><body><form action=\"/login/\"></form></body></html>\n")
	case Empty:
		return nil
	case GarbageAfter:
		return append(out, "Something that does not belong here.\n"...)
	case NotGzip:
		return plain(archive)
	case NotTar:
		return zipped([]byte(strings.Repeat("This is no archive.\n", 500)))
	default:
		return rebuild(archive, kind)
	}
	return out
}

// plain is the tar within; memory holds all of it.
func plain(archive []byte) []byte {
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		panic(err)
	}
	all, err := io.ReadAll(zip)
	if err != nil {
		panic(err)
	}
	return all
}

func zipped(content []byte) []byte {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, _ = zip.Write(content) // a Buffer takes everything
	_ = zip.Close()
	return b.Bytes()
}

// member is one of a tar.
type member struct {
	head *tar.Header
	data []byte
}

// rebuild reads the members, changes them, and writes them again.
func rebuild(archive []byte, kind string) []byte {
	var all []member
	for in := tar.NewReader(bytes.NewReader(plain(archive))); ; {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			panic(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			panic(err)
		}
		all = append(all, member{head, data})
	}
	var b bytes.Buffer
	out := tar.NewWriter(&b)
	all = spoil(all, kind)
	largest := 0
	for i, m := range all {
		if len(m.data) > len(all[largest].data) {
			largest = i
		}
	}
	for i, m := range all {
		m.head.Size = int64(len(m.data))
		if err := out.WriteHeader(m.head); err != nil {
			panic(err)
		}
		if kind == ShortTar && i == largest {
			_, _ = out.Write(m.data[:len(m.data)/2]) // a Buffer takes everything
			return zipped(b.Bytes())
		}
		_, _ = out.Write(m.data) // a Buffer takes everything
	}
	if kind != TruncatedMember {
		_ = out.Close() // a Buffer takes everything
		return zipped(b.Bytes())
	}
	_ = out.Flush()
	return zipped(b.Bytes())
}

func spoil(all []member, kind string) []member {
	// below is a member's path below the one folder.
	below := func(m member) string { _, name, _ := strings.Cut(path.Clean(m.head.Name), "/"); return name }
	without := func(drop func(name string) bool) []member {
		return slices.DeleteFunc(all, func(m member) bool { return drop(below(m)) })
	}
	dump := slices.IndexFunc(all, func(m member) bool {
		return strings.HasPrefix(below(m), "mysql/") && strings.HasSuffix(m.head.Name, ".sql")
	})
	extra := func(name string) []member {
		return append(all, member{&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, ModTime: all[0].head.ModTime}, []byte("extra\n")})
	}
	if dump < 0 && slices.Contains([]string{NoDatabase, CutDump, DumpError, EmptyDump}, kind) {
		panic("the archive has no database to damage")
	}
	switch kind {
	case TruncatedMember:
		return all[:len(all)*2/3]
	case NoAccount:
		return without(func(name string) bool { return strings.HasPrefix(name, "cp/") })
	case NoVersion:
		return without(func(name string) bool { return name == "version" })
	case NoHome:
		return without(func(name string) bool {
			return name == "homedir" || strings.HasPrefix(name, "homedir/") || name == "homedir.tar"
		})
	case NoDatabase:
		lost := below(all[dump])
		return without(func(name string) bool { return name == lost })
	case CutDump:
		all[dump].data = all[dump].data[:len(all[dump].data)/2]
	case DumpError:
		half := all[dump].data[:len(all[dump].data)/2]
		all[dump].data = append(bytes.Clone(half), "\nmysqldump: Error 2013: Lost connection to server during query when dumping table `wp_posts` at row: 815\n"...)
	case EmptyDump:
		all[dump].data = nil
	case ShortTar:
	case SecondTop:
		return extra("elsewhere/file.txt")
	case AbsolutePath:
		return extra("/etc/evil.txt")
	case ParentPath:
		return extra("../evil.txt")
	default:
		panic("no kind of damage: " + kind)
	}
	return all
}
