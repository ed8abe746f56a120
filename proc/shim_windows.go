package proc

import (
	"errors"
	"os"

	"github.com/spawnx/spawnx/ptyio"
)

func (l launch) viaShim([]*os.File) (*child, error) { return nil, errors.ErrUnsupported }

func guard(*ptyio.Borrowed) (func(), error) { return nil, errors.ErrUnsupported }
