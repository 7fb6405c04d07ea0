// `node aws-stand-in.mjs PORT FOLDER [POSTGRES_URL]` stands in for AWS at 127.0.0.1:PORT until it is ended: S3, Glue, STS and IAM in
// memory and, where a superuser's PostgreSQL is given, Redshift with its database `dev`. The folder takes logs and
// rows that are on their way; where Redshift is, it lies where PostgreSQL's user can get.
import {RedshiftData} from '../redshift-data/redshift-data.mjs'
import {AwsProxy} from './aws-proxy.mjs'
import {FaultRules} from './fault-rules.mjs'
import {Moto} from './moto.mjs'

const [port, folder, postgresUrl] = process.argv.slice(2)
const moto = await Moto.start(folder)
process.on('SIGTERM', () => {
  moto.end()
  process.exit(0)
})
const faults = new FaultRules()
const redshift =
  postgresUrl === undefined
    ? undefined
    : new RedshiftData({postgresUrl, awsUrl: moto.url, exchangeFolder: folder, faults})
await redshift?.prepare('dev')
await new AwsProxy({moto, faults, redshift}).listen(Number(port))
