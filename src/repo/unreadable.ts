import type {Problem} from '../errors.js'

/** A file or folder of the repo that the system does not let us read; `path` is relative to the repo. */
export function unreadable(what: 'file' | 'folder', path: string, error: unknown): Problem {
  const {code, message} = error as NodeJS.ErrnoException
  const reason = code === 'ENOENT' ? 'it is a link that leads nowhere' : message
  return {
    code: 'FS_DEFINITION_INVALID',
    message: `This ${what} can't be read: ${reason}.`,
    hint: `Make it readable, or name it in .fsignore when it holds no definitions.`,
    file: path,
  }
}
