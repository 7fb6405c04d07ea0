export {spawnTied} from '../../scripts/services/spawn-tied.mjs'
