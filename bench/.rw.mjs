import {spawn, spawnSync} from 'node:child_process'
import {setTimeout as sleep} from 'node:timers/promises'
const {FeatureStore}=await import('../dist/index.js')
import {mkdtempSync, writeFileSync, rmSync} from 'node:fs'
const port=17666
const server=spawn('redis-server',['--port',String(port),'--save','','--bind','127.0.0.1'],{stdio:'ignore'}); await sleep(500)
const base=mkdtempSync('/tmp/rb-')
const {DuckDBInstance}=await import('@duckdb/node-api')
const c=await (await DuckDBInstance.create()).connect()
const f=Array.from({length:10},(_,i)=>`f${i}`)
await c.run(`COPY (SELECT range AS driver_id, TIMESTAMP '2024-01-01' + to_seconds(range%1000) AS event_timestamp, ${f.map((n,i)=>`hash(range*10+${i})/1.8e19 AS ${n}`).join(', ')} FROM range(1000000)) TO '${base}/source.parquet' (FORMAT parquet)`)
writeFileSync(base+'/feature_store.yaml',`project: bench\nonline_store: {type: redis, connection_string: "127.0.0.1:${port}"}\n`)
writeFileSync(base+'/features.yaml',`kind: entity\nname: driver\njoin_keys: [{name: driver_id, value_type: int64}]\n---\nkind: data_source\nname: source\ntype: file\npath: source.parquet\ntimestamp_field: event_timestamp\n---\nkind: feature_view\nname: stats\nentities: [driver]\nsource: source\nschema: [${f.map(n=>`{name: ${n}, dtype: float64}`).join(', ')}]\n`)
try{
const bench=()=>{const o=spawnSync('redis-benchmark',['-p',String(port),'-t','set','-n','1000000','-d','104','-r','1000000','-c','1','-P','500','-q'],{encoding:'utf8'}).stdout; return Number(/([\d.]+) requests per second/.exec(o)[1])}
const store=await FeatureStore.open(base); await store.apply()
for(let i=0;i<2;i++){ let first=0,last=0; const P={onProgress:(e)=>{if(e.phase==='writing'){first||=performance.now();last=performance.now()}}};
 const b=bench(); spawnSync('redis-cli',['-p',String(port),'flushall']); 
 await store.teardown(); await store.apply()
 const s=performance.now(); const run=await store.materializeIncremental(P); const t=(performance.now()-s)/1000
 console.log('first rows after',((first-s)/1000).toFixed(2),'writing',((last-first)/1000).toFixed(2),run.status, 'ours',(1e6/t/1000).toFixed(0),'krows/s; benchmark',(b/1000).toFixed(0),'ratio',(1e6/t/b).toFixed(2), 'cpu', process.cpuUsage().user/1e6)
}
await store.close()
} finally {server.kill(); rmSync(base,{recursive:true})}
process.exit(0)
