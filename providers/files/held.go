package files

import (
	"io/fs"
	"os"
)

// heldOpen is how many folders on the way down a walk holds open. Those above them
// are closed and opened again on the way back, so that a deep tree needs no more
// open files than a flat one.
const heldOpen = 16

// held is a folder that is walked: open, or closed for as long as the walk is far
// below it.
type held struct {
	up   *held // nil: the folder that is walked as a whole, which stays open
	name string
	info fs.FileInfo
	dir  *os.Root // nil: closed for now
}

// below gives a folder that was opened in f, and closes the one far above it.
func (f *held) below(name string, info fs.FileInfo, dir *os.Root) *held {
	far := f
	for range heldOpen {
		if far.up == nil {
			return &held{f, name, info, dir}
		}
		far = far.up
	}
	if far.up != nil {
		far.close()
	}
	return &held{f, name, info, dir}
}

func (f *held) close() {
	if f.dir != nil {
		_ = f.dir.Close()
		f.dir = nil
	}
}

// open gives the folder, opened again from the nearest that is still open where it
// was closed. Each on the way must be the one that it was: a folder that was
// swapped for another meanwhile is an error.
func (f *held) open() (*os.Root, error) {
	var way []*held
	at := f
	for ; at.dir == nil; at = at.up {
		way = append(way, at)
	}
	dir := at.dir
	for i := len(way) - 1; i >= 0; i-- {
		next, err := place{dir, way[i].name}.enter(way[i].info)
		if dir != at.dir {
			_ = dir.Close()
		}
		if err != nil {
			return nil, err
		}
		dir = next
	}
	f.dir = dir
	return dir, nil
}
