import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {openOnlineStore} from '../../src/online/drivers.js'
import {describeOnlineStore} from '../conformance/online-store.js'

describeOnlineStore('the embedded store', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fs-online-'))
  return {
    open: (project, access) =>
      openOnlineStore(
        {type: 'embedded', settings: {path: 'online'}},
        {project, repoDirectory: folder, access},
      ),
    close: () => rm(folder, {recursive: true, force: true}),
  }
})
