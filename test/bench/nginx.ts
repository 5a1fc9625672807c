import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { end, freePort, keep, plainCall, type Subject, untilHealthy } from './subject.ts'

/** Where nginx is, or null. Distributions keep it in sbin, which is not on everyone's PATH. */
export function findNginx(): string | null {
  return Bun.which('nginx', { PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` })
}

function configuration(folder: string, port: number, upstream: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 16384; }
http {
  ${temporary.map(name => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  access_log ${folder}/access.log;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  upstream provider {
    server 127.0.0.1:${upstream};
    keepalive 512;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 1h;
    }
    location = /healthz { access_log off; return 200; }
  }
}
`
}

/**
 * Starts nginx as a bare proxy in front of the provider: one worker, connections kept both ways, nothing buffered, the
 * access log in a file, because the gateway logs too. Throws what nginx said when it does not start.
 */
export async function startNginx(
  executable: string,
  folder: string,
  upstream: number,
  name = 'nginx',
): Promise<Subject> {
  mkdirSync(folder, { recursive: true })
  const port = freePort()
  const file = join(folder, 'nginx.conf')
  const errors = join(folder, 'error.log')
  writeFileSync(file, configuration(folder, port, upstream))
  const output = openSync(errors, 'a')
  const command = [executable, '-p', folder, '-c', file, '-e', errors]
  const started = performance.now()
  const child = keep(Bun.spawn(command, { stdin: 'ignore', stdout: output, stderr: output }))
  closeSync(output)
  await untilHealthy(child, port, name, errors)
  const readyAfter = performance.now() - started
  return {
    name,
    port,
    pid: child.pid,
    log: join(folder, 'access.log'),
    readyAfter,
    call: (format, stream) => plainCall(port, format, stream),
    stop: () => end(child),
  }
}
