using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Reachability.Probing;

namespace FailoverHub.Web.Reachability.Targets;

/// <summary>What operators have added, as the prober takes it: each with the way that it is asked in, the very same as long as the list is.</summary>
internal sealed class NamedProbes(TargetList list, TimeProvider time) : IAsyncDisposable
{
    private readonly IcmpProbe _icmp = new(time);
    private ImmutableArray<NamedTarget> _seen = [];
    private ImmutableArray<ProbeTarget> _targets = [];

    /// <summary>The list as it is now. Only the prober asks.</summary>
    public ImmutableArray<ProbeTarget> Current
    {
        get
        {
            if (list.Current is var now && now != _seen)
            {
                Dictionary<string, ProbeTarget> before = _targets.ToDictionary(t => t.Id);
                (_seen, _targets) = (now, [.. now.Select(t => before.TryGetValue(t.Id, out ProbeTarget? same) && t.Equals(same.Named) ? same : ToTarget(t))]);
            }

            return _targets;
        }
    }

    public ValueTask DisposeAsync() => _icmp.DisposeAsync();

    private ProbeTarget ToTarget(NamedTarget target)
    {
        IPAddress address = target.Host ?? IPAddress.Any;
        return new ProbeTarget(ProbeTarget.Alone(address), address, "")
        {
            Id = target.Id,
            Named = target,
            Probe = target.Draft.Kind switch
            {
                NamedTargetKind.Tcp => new TcpProbe(target.Draft.Port!.Value, time),
                NamedTargetKind.Http => new HttpProbe(target, time),
                _ => _icmp,
            },
        };
    }
}
