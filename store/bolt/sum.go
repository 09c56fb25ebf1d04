package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// bbolt notices a page that is out of place, but not a value that has changed
// where it lies. So each value begins with the CRC-32C of its key and itself, in
// four bytes, big-endian.
const sumSize = 4

var errSum = errors.New("a record is not what was written")

func sum(key, value []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(key, table), table, value)
}

// seal puts the sum before a value.
func seal(key, value []byte) []byte {
	sealed := binary.BigEndian.AppendUint32(make([]byte, 0, sumSize+len(value)), sum(key, value))
	return append(sealed, value...)
}

// unseal gives the value within sealed, not a copy of it.
func unseal(key, sealed []byte) ([]byte, error) {
	if len(sealed) < sumSize || binary.BigEndian.Uint32(sealed) != sum(key, sealed[sumSize:]) {
		return nil, fmt.Errorf("%w: %.100q", errSum, key)
	}
	return sealed[sumSize:], nil
}
