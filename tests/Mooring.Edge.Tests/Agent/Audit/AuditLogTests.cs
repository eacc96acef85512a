using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Audit;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Audit;

/// <summary>What hubs asked for stays readable and shows when somebody changed it.</summary>
public sealed class AuditLogTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-audit-").FullName;

    [Fact]
    public void D41_Lines_HoldTheHashOfTheLineBefore_OverRestarts_AndNoBody()
    {
        var path = Path.Combine(_folder, "audit.jsonl");
        using (var log = Open(path))
        {
            Record(log, "create_new_runtime", """{"container_name":"plc1"}""", new JsonObject { ["status"] = "creating" });
            Record(log, "get_device_status", """{"device_id":"plc1"}""", new JsonObject { ["status"] = "success" });
        }
        using (var log = Open(path))
            Record(log, "run_command", """{"device_id":"plc1","method":"POST","api":"api/login?x=secret","data":{"password":"secret"},"headers":{"Authorization":"secret"}}""",
                new JsonObject { ["status"] = "success", ["correlation_id"] = 7, ["http_response"] = new JsonObject { ["status_code"] = 200 } });

        var lines = File.ReadAllLines(path);
        Assert.Equal(2, lines.Length);
        Assert.DoesNotContain("secret", string.Concat(lines));
        var (first, second) = (JsonDocument.Parse(lines[0]).RootElement, JsonDocument.Parse(lines[1]).RootElement);
        Assert.Equal(new string('0', 64), first.GetProperty("previous").GetString());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines[0]))), second.GetProperty("previous").GetString());
        Assert.Equal(("run_command", "plc1", "POST", "api/login", 200, 7), (
            second.GetProperty("topic").GetString(), second.GetProperty("device").GetString(), second.GetProperty("method").GetString(),
            second.GetProperty("api").GetString(), second.GetProperty("status_code").GetInt32(), second.GetProperty("correlation_id").GetInt32()));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private AuditLog Open(string path) => new(path, TimeProvider.System, LoggerFactory.CreateLogger<AuditLog>());

    private static void Record(AuditLog log, string topic, string message, JsonObject answer)
    {
        using var document = JsonDocument.Parse(message);
        log.Record(topic, document.RootElement, answer, TimeSpan.FromMilliseconds(3));
    }
}
