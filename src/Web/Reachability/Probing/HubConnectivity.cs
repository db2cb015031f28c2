using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Web.Reachability.Probing;

/// <summary>
/// Whether the hub itself is connected, by its gateways, pure. When no gateway answers, silence of an address says nothing about the
/// address. A gateway that has never answered (many drop ICMP) proves nothing either way; without any that has, every silence is believed.
/// </summary>
internal sealed class HubConnectivity
{
    /// <summary>Of each gateway in a row, before the hub calls itself cut off.</summary>
    private const int SilentProbes = 3;

    /// <summary>From one answer to the next while nothing is wrong: a second, and what a busy machine adds.</summary>
    private static readonly TimeSpan Apart = TimeSpan.FromSeconds(1.2);

    /// <summary>What is probed less often than that is judged by whether the hub is connected now: the answers of the time before are forgotten.</summary>
    public static readonly TimeSpan SlowerThan = TimeSpan.FromSeconds(3);

    /// <summary>Longer than any probe is out. At ten a second that is a few hundred times at most.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(10);

    private readonly Dictionary<IPAddress, ProbedAddress> _gateways = [];

    // When the probes were sent that gateways answered, about in order.
    private readonly Queue<TimeSpan> _answered = [];

    /// <summary>What is asked.</summary>
    public IReadOnlyCollection<ProbedAddress> Gateways => _gateways.Values;

    /// <summary>Why nothing is known of any address; null: the hub is connected as far as can be told.</summary>
    public string? Problem { get; private set; }

    private IEnumerable<ProbedAddress> Telling => _gateways.Values.Where(g => g.LastAnsweredSentAt is not null);

    /// <summary>Takes over which gateways there are; returns those that are new and due at once.</summary>
    public ImmutableArray<ProbedAddress> SetGateways(ImmutableArray<IPAddress> gateways, TimeSpan now)
    {
        foreach (IPAddress gone in _gateways.Keys.Except(gateways).ToArray())
        {
            _gateways[gone].Gone = true;
            _gateways.Remove(gone);
            Judge();
        }

        var added = ImmutableArray.CreateBuilder<ProbedAddress>();
        foreach (IPAddress gateway in gateways.Where(g => !_gateways.ContainsKey(g)))
        {
            var entry = new ProbedAddress(new ProbeTarget(ProbeTarget.Alone(gateway), gateway, "") { Id = $"gateway:{gateway}" }) { Due = now };
            _gateways.Add(gateway, entry);
            added.Add(entry);
        }

        return added.ToImmutable();
    }

    /// <summary>The gateway of this address, or null.</summary>
    public ProbedAddress? Find(IPAddress address) => _gateways.GetValueOrDefault(address);

    /// <summary>Whether this is one of the gateways.</summary>
    public bool Owns(ProbedAddress entry) => _gateways.TryGetValue(entry.Target.Address, out ProbedAddress? known) && ReferenceEquals(known, entry);

    /// <summary>Whether the hub was connected just before that time; true without a gateway that tells.</summary>
    public bool WasConnectedBefore(TimeSpan sentAt) => !Telling.Any() || _answered.Any(a => a <= sentAt && sentAt - a <= Apart);

    /// <summary>The same, and just after it: silence of an address at that time is the address's own.</summary>
    public bool WasConnectedAround(TimeSpan sentAt) => !Telling.Any() || (WasConnectedBefore(sentAt) && _answered.Any(a => a >= sentAt && a - sentAt <= Apart));

    /// <summary>Takes in the result of a gateway.</summary>
    public void Record(bool answered, TimeSpan sentAt)
    {
        if (answered)
        {
            _answered.Enqueue(sentAt);
            while (_answered.Peek() < sentAt - Remembered)
            {
                _answered.Dequeue();
            }
        }

        Judge();
    }

    private void Judge() => Problem = Telling.Any() && Telling.All(g => g.Failures >= SilentProbes)
        ? $"The hub itself is cut off: {string.Join(" and ", Telling.Select(g => g.Target.Address))}, its gateway, does not answer. Nothing is known of any address until it does."
        : null;
}
