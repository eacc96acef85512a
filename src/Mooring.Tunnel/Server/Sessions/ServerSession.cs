using Mooring.Tunnel.Links;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Ingress;

namespace Mooring.Tunnel.Server.Sessions;

/// <summary>One connected client, of either generation.</summary>
internal abstract class ServerSession(string id, Account account, WebSocketLink link, string remote, SessionContext context)
{
    private readonly Lock _gate = new();
    private readonly List<TunnelBinding> _bindings = [];

    public string Id => id;

    public SessionContext Context { get; } = context;

    public Account Account => account;

    public WebSocketLink Link => link;

    /// <summary>Address of the client.</summary>
    public string Remote => remote;

    public DateTimeOffset Started { get; } = context.Time.GetUtcNow();

    /// <summary>What the account uses, with this session.</summary>
    public AccountUsage Usage { get; } = context.Usages.Of(account);

    /// <summary>"A", or "B/" and the version.</summary>
    public abstract string Generation { get; }

    public abstract int StreamCount { get; }

    /// <summary>No new streams come: it is to be closed.</summary>
    public bool IsDraining { get; private set; }

    public IReadOnlyList<TunnelBinding> Bindings
    {
        get { lock (_gate) return [.. _bindings]; }
    }

    public void Add(TunnelBinding binding)
    {
        lock (_gate) _bindings.Add(binding);
    }

    public void Remove(TunnelBinding binding)
    {
        lock (_gate) _bindings.Remove(binding);
    }

    /// <summary>Answers one visitor's request through the client.</summary>
    public abstract Task ServeAsync(IngressRequest request, TunnelBinding binding);

    /// <summary>Carries one visitor's connection.</summary>
    public abstract Task ServeAsync(TcpVisit visit, TunnelBinding binding);

    /// <summary>Called about once a second: time-outs.</summary>
    public abstract void Tick();

    /// <summary>The connection has ended: nobody waits any longer.</summary>
    public abstract void OnEnded();

    /// <summary>Tells the client that the server stops.</summary>
    public virtual void BeginDrain(TimeSpan left) => IsDraining = true;

    public Task CloseAsync(int code, string reason) => link.CloseAsync(code, reason);
}
