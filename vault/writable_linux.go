package vault

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"
)

// writable says why no file can be kept in a folder, before it is tried: nil may
// still turn out otherwise.
func writable(dir string) error {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return err
	}
	made := []int64{unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC, unix.DEVPTS_SUPER_MAGIC}
	if slices.Contains(made, int64(s.Type)) {
		return errors.New("it is no disk, but a view of the system")
	}
	return unix.Access(dir, unix.W_OK)
}
