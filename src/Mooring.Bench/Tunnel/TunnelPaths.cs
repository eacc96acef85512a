using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Mooring.Bench.Processes;

namespace Mooring.Bench.Tunnel;

/// <summary>Starts the origin and each path to it. All programs are the system's own; nginx has one worker.</summary>
internal sealed partial class TunnelPaths(TunnelBenchOptions options, string folder, TimeProvider time)
{
    private static readonly TimeSpan s_readyWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_probeEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>nginx with the files that are asked for.</summary>
    public async Task<PeerProcess> StartOriginAsync(int port, CancellationToken cancellationToken)
    {
        var files = Directory.CreateDirectory(Path.Combine(folder, "files")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(files, "small"), new byte[options.ResponseBytes], cancellationToken);
        await using (var large = File.Create(Path.Combine(files, "large"))) large.SetLength(options.StreamBytes);
        return await StartNginxAsync("origin", port, $"root {files}; access_log off;", cancellationToken);
    }

    public async Task<TunnelPath> StartAsync(string name, int origin, CancellationToken cancellationToken) => name switch
    {
        "direct" => new TunnelPath(name, Loopback(origin), "localhost", []),
        "nginx" => await StartProxyAsync(name, origin, cancellationToken),
        "ssh" => await StartSshAsync(name, origin, cancellationToken),
        "self-http" => await StartSelfAsync(name, "http", origin, cancellationToken),
        "self-tcp" => await StartSelfAsync(name, "tcp", origin, cancellationToken),
        _ => throw new MooringBenchException($"'{name}' is none of {string.Join(", ", TunnelBenchOptions.AllPeers)}, {string.Join(", ", TunnelBenchOptions.Cases)}"),
    };

    private static IPEndPoint Loopback(int port) => new(IPAddress.Loopback, port);

    private async Task<TunnelPath> StartProxyAsync(string name, int origin, CancellationToken cancellationToken)
    {
        var port = PeerProcess.FreePort();
        var nginx = await StartNginxAsync(
            "proxy", port,
            $"location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection \"\"; access_log off; }}",
            cancellationToken, $"upstream origin {{ server 127.0.0.1:{origin}; keepalive 256; keepalive_requests 1000000; }}");
        return new TunnelPath(name, Loopback(port), "localhost", [nginx]);
    }

    private async Task<PeerProcess> StartNginxAsync(string name, int port, string server, CancellationToken cancellationToken, string http = "")
    {
        var home = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        var file = Path.Combine(home, "nginx.conf");
        await File.WriteAllTextAsync(
            file,
            $$"""
            worker_processes 1; daemon off; pid {{home}}/pid; error_log {{home}}/error;
            events { worker_connections 4096; }
            http {
              client_body_temp_path {{home}}/a; proxy_temp_path {{home}}/b; fastcgi_temp_path {{home}}/c; uwsgi_temp_path {{home}}/d; scgi_temp_path {{home}}/e;
              keepalive_requests 100000000; sendfile on; {{http}}
              server { listen 127.0.0.1:{{port}} backlog=4096; {{server}} }
            }
            """, cancellationToken);
        var program = File.Exists("/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx";
        return await PeerProcess.StartAsync([program, "-p", home, "-c", file, "-e", $"{home}/error"], port, time, cancellationToken);
    }

    private async Task<TunnelPath> StartSshAsync(string name, int origin, CancellationToken cancellationToken)
    {
        var home = Directory.CreateDirectory(Path.Combine(folder, "ssh")).FullName;
        foreach (var key in new[] { "host", "user" }) await RunAsync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(home, key)], cancellationToken);
        File.Copy(Path.Combine(home, "user.pub"), Path.Combine(home, "authorized"));
        var (daemon, port) = (PeerProcess.FreePort(), PeerProcess.FreePort());
        if (Environment.UserName == "root") Directory.CreateDirectory("/run/sshd");
        var server = await PeerProcess.StartAsync(
            [
                "/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-p", "{port}", "-h", Path.Combine(home, "host"), "-o", "ListenAddress=127.0.0.1", "-o", "StrictModes=no",
                "-o", $"AuthorizedKeysFile={Path.Combine(home, "authorized")}", "-o", "PidFile=none", "-o", "UsePAM=no",
            ],
            daemon, time, cancellationToken);
        var client = PeerProcess.Start(
            [
                "ssh", "-N", "-F", "/dev/null", "-p", daemon.ToString(CultureInfo.InvariantCulture), "-i", Path.Combine(home, "user"), "-o", "StrictHostKeyChecking=no",
                "-o", "UserKnownHostsFile=/dev/null", "-o", "ExitOnForwardFailure=yes", "-c", "aes128-gcm@openssh.com",
                "-R", $"127.0.0.1:{port}:127.0.0.1:{origin}", $"{Environment.UserName}@127.0.0.1",
            ], time);
        await WaitUntilAcceptingAsync(port, cancellationToken);
        return new TunnelPath(name, Loopback(port), "localhost", [server, client]);
    }

    private async Task<TunnelPath> StartSelfAsync(string name, string protocol, int origin, CancellationToken cancellationToken)
    {
        var data = Directory.CreateTempSubdirectory("mooring-bench-tunnel-").FullName;
        var self = new SelfServer(options.SelfProgram, data, time);
        var server = await self.StartAsync(cancellationToken);
        var output = Path.Combine(data, "client.log");
        string[] publish = protocol == "http"
            ? ["http", origin.ToString(CultureInfo.InvariantCulture), "-s", "bench"]
            : ["tcp", origin.ToString(CultureInfo.InvariantCulture)];
        var client = PeerProcess.Start(
            [options.SelfProgram, "tunnel", .. publish, "--server", $"127.0.0.1:{self.Control}", "--token", self.Token, "--quiet", "--log-file", output], time);
        var port = protocol == "http" ? self.Http : await PublicPortAsync(output, cancellationToken);
        if (protocol == "http") await PublicPortAsync(output, cancellationToken);
        return new TunnelPath(name, Loopback(port), $"bench.localhost:{self.Http}", [server, client], data);
    }

    /// <summary>Waits until the client's log says what was published, and gives the port in it.</summary>
    private async Task<int> PublicPortAsync(string log, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (time.GetElapsedTime(started) < s_readyWithin)
        {
            if (File.Exists(log) && Published().Match(await ReadAsync(log, cancellationToken)) is { Success: true } match)
                return int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
            await Task.Delay(s_probeEvery, time, cancellationToken);
        }
        throw new MooringBenchException("the client under test published nothing in time");
    }

    private static async Task<string> ReadAsync(string path, CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return await new StreamReader(stream).ReadToEndAsync(cancellationToken);
    }

    private async Task WaitUntilAcceptingAsync(int port, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            using var probe = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
            try
            {
                await probe.ConnectAsync(Loopback(port), cancellationToken);
                return;
            }
            catch (System.Net.Sockets.SocketException) when (time.GetElapsedTime(started) < s_readyWithin)
            {
                await Task.Delay(s_probeEvery, time, cancellationToken);
            }
        }
    }

    private static async Task RunAsync(string[] command, CancellationToken cancellationToken)
    {
        using var process = System.Diagnostics.Process.Start(command[0], command.Skip(1));
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0) throw new MooringBenchException($"{command[0]} failed");
    }

    [GeneratedRegex(@"published \S+?:(\d+)\s")]
    private static partial Regex Published();
}
