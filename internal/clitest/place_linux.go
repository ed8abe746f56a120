package clitest

import (
	"io/fs"
	"syscall"
	"time"
)

func timesOf(info fs.FileInfo) folderTimes {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return folderTimes{}
	}
	return folderTimes{info.ModTime(), time.Unix(st.Ctim.Unix())}
}
