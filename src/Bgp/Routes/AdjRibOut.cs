using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Bgp.Routes;

// What the neighbor should have from us and what it has. Callers say the first; the difference is found here and becomes UPDATEs. A prefix whose attributes
// change (its role: another community) is announced again and not withdrawn, so that it is never gone: an announcement replaces the one before (RFC 4271 3.1).
internal sealed class AdjRibOut
{
    // So that the attributes always leave room for prefixes in a message of 4096 octets. A route has two or three communities.
    public const int MaxCommunities = 255;
    public const int MaxLargeCommunities = 128;

    private readonly Dictionary<IPNetwork, Advertisement> _sent = [];
    private Dictionary<IPNetwork, Advertisement> _desired = [];
    private AdvertisingContext? _context;

    // Prefixes that the neighbor has from us now.
    public int Count => _sent.Count;

    // What the neighbor should have and cannot get while this session lasts; empty when no session is up.
    public ImmutableArray<SkippedPrefix> Skipped =>
        _context is not { } context
            ? []
            : [.. _desired.Values
                .Where(wanted => !context.CanSend(wanted.Family))
                .Select(wanted => new SkippedPrefix(wanted.Prefix, context.WhyNot(wanted.Family)!.Value))];

    public void SetDesired(ImmutableArray<Advertisement> all)
    {
        var desired = new Dictionary<IPNetwork, Advertisement>(all.Length);
        foreach (var advertisement in all)
        {
            if (advertisement.Communities.Length > MaxCommunities)
            {
                throw new ArgumentException($"{advertisement.Prefix} has {advertisement.Communities.Length} communities; more than {MaxCommunities} are not sent.", nameof(all));
            }

            if (advertisement.LargeCommunities.Length > MaxLargeCommunities)
            {
                throw new ArgumentException(
                    $"{advertisement.Prefix} has {advertisement.LargeCommunities.Length} large communities; more than {MaxLargeCommunities} are not sent.", nameof(all));
            }

            desired[advertisement.Prefix] = advertisement;
        }

        _desired = desired;
    }

    // The session is up and the neighbor has nothing from us.
    public void Open(AdvertisingContext context) => _context = context;

    // The session is gone and with it what the neighbor had.
    public void Close()
    {
        _context = null;
        _sent.Clear();
    }

    // The UPDATEs that bring the neighbor from what it has to what it should have, in one buffer; empty when it has it already or no session is up.
    public ReadOnlyMemory<byte> WriteChanges()
    {
        if (_context is not { } context)
        {
            return default;
        }

        var gone = _sent.Keys.Where(prefix => !_desired.ContainsKey(prefix)).ToList();
        var changed = _desired.Values
            .Where(wanted => context.CanSend(wanted.Family) && !(_sent.TryGetValue(wanted.Prefix, out var has) && has.Equals(wanted)))
            .ToList();
        if (gone.Count == 0 && changed.Count == 0)
        {
            return default;
        }

        var batch = new UpdateBatch(context);
        batch.Withdraw(gone);
        batch.Announce(changed);
        foreach (var prefix in gone)
        {
            _sent.Remove(prefix);
        }

        foreach (var advertisement in changed)
        {
            _sent[advertisement.Prefix] = advertisement;
        }

        return batch.Finish();
    }

    // Everything that the neighbor has is taken back; what it should have is kept for the next session.
    public ReadOnlyMemory<byte> WriteWithdrawAll()
    {
        if (_context is not { } context || _sent.Count == 0)
        {
            return default;
        }

        var batch = new UpdateBatch(context);
        batch.Withdraw(_sent.Keys);
        _sent.Clear();
        return batch.Finish();
    }

    // The answer to ROUTE-REFRESH (RFC 2918 4).
    public ReadOnlyMemory<byte> WriteAgain(RouteFamily family)
    {
        if (_context is not { } context || !_sent.Values.Any(advertisement => advertisement.Family == family))
        {
            return default;
        }

        var batch = new UpdateBatch(context);
        batch.Announce(_sent.Values.Where(advertisement => advertisement.Family == family));
        return batch.Finish();
    }
}
