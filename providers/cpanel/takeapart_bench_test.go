package cpanel_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"keepwatch/providers/cpanel"
	"keepwatch/providers/cpanel/cpaneltest"
)

// BenchmarkTakeApart takes a database and a home directory out of a full backup; the
// rate is that of the unpacked backup.
func BenchmarkTakeApart(b *testing.B) {
	var full bytes.Buffer
	var dump bytes.Buffer
	if err := cpaneltest.MysqlDump(&dump, "ruthin_wp", 200_000, cpaneltest.DumpOpts{}); err != nil {
		b.Fatal(err)
	}
	spec := cpaneltest.ArchiveSpec{User: "ruthin", Many: 20_000, Large: 16 << 20, Databases: map[string]string{"ruthin_wp": dump.String()}}
	if err := cpaneltest.WriteArchive(&full, spec, noon); err != nil {
		b.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(full.Bytes()))
	if err != nil {
		b.Fatal(err)
	}
	size, err := io.Copy(io.Discard, r)
	if err != nil {
		b.Fatal(err)
	}
	for _, inner := range []string{"mysql/ruthin_wp.sql", "homedir"} {
		b.Run(inner, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				if err := cpanel.TakeApart(bytes.NewReader(full.Bytes()), inner, io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
