using System.Collections.Immutable;
using System.Net;
using System.Runtime.InteropServices;
using FailoverHub.Agent.Addresses.Netlink;
using FailoverHub.Agent.Node.Prefixes;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Addresses.Managed;

/// <summary>
/// Puts shared addresses on an interface where they are missing, and takes off again what it has put there itself, never anything else.
/// What is no longer wanted is first no longer announced and then taken off. Belongs to the task that watches the interfaces.
/// </summary>
/// <param name="device">Name of the interface; null: loopback.</param>
/// <param name="kernel">Does it.</param>
/// <param name="store">Remembers it.</param>
/// <param name="time">For the time between two attempts.</param>
/// <param name="logger">Its log.</param>
internal sealed partial class AddressKeeper(string? device, IAddressWriter kernel, OwnAddressStore store, TimeProvider time, ILogger<AddressKeeper> logger)
{
    /// <summary>Somebody else takes an address off again and again: for so long it is left to him. And how often it is tried again what the kernel refuses.</summary>
    public static readonly TimeSpan PutBackEvery = TimeSpan.FromSeconds(5);

    /// <summary>From the moment that it is no longer wanted until it is taken off, at least: while it may still be announced it stays.</summary>
    public static readonly TimeSpan TakenOffAfter = TimeSpan.FromSeconds(1);

    private const string Loopback = "lo";

    private readonly HashSet<SharedAddress> _own = [.. store.Load(device ?? Loopback)];

    // Of an earlier life, and not seen on the interface in this one: it may have been killed before it added them.
    private HashSet<SharedAddress>? _unseen;
    private readonly Dictionary<SharedAddress, long> _leaving = [];
    private readonly Dictionary<SharedAddress, long> _putBack = [];
    private readonly HashSet<(string What, int Error)> _said = [];
    private readonly Dictionary<string, string> _troubles = [];
    private bool _cannotRemember;

    /// <summary>
    /// The neighbors may still have it from us: nothing is taken off from under the traffic that they send here, however long the node takes to withdraw it (its loop may
    /// wait for a disk, a neighbor may read slowly). Before the node is there: nothing is.
    /// </summary>
    public Func<IPNetwork, bool> MayBeAnnounced { get; set; } = static _ => false;

    /// <summary>What is on the interface and is the agent's own.</summary>
    public ImmutableHashSet<SharedAddress> Own => [.. _own];

    /// <summary>What the kernel does not do, in a sentence; null: everything is as it is to be.</summary>
    public string? Trouble => _troubles.Count == 0 ? null : _troubles.Count == 1 ? _troubles.Values.First() : $"{_troubles.Values.First()}; and {_troubles.Count - 1} more";

    /// <summary>When there is something to do though nothing happens; null: never.</summary>
    public TimeSpan? LookAgain { get; private set; }

    /// <summary>It is on its way off the interface, so it counts as gone.</summary>
    public bool IsLeaving(InterfaceAddress address) => _leaving.Count > 0 && address.Interface == (device ?? Loopback) && _leaving.ContainsKey(new SharedAddress(address.Address, address.PrefixLength));

    /// <summary>Does what is to be done.</summary>
    /// <param name="table">The interfaces as they are.</param>
    /// <param name="wanted">Prefixes that the interface is to have.</param>
    /// <param name="present">Prefixes that the interfaces have.</param>
    /// <returns>Something is different now: read the interfaces again.</returns>
    public bool Keep(InterfaceTable table, ImmutableHashSet<IPNetwork> wanted, ImmutableHashSet<IPNetwork> present)
    {
        LookAgain = null;
        (_unseen ??= [.. _own]).RemoveWhere(address => present.Contains(SharedPrefix.Of(address.Address, address.Length)));
        HashSet<SharedAddress> kept = [.. wanted.Select(SharedAddress.Of)];
        var isChanged = TakeOff(table, kept, present);
        foreach (var told in _troubles.Keys.ToList())
        {
            if (!IsOpen(told, wanted, present))
            {
                _troubles.Remove(told);
            }
        }

        var missing = wanted.Where(prefix => !present.Contains(prefix)).Select(SharedAddress.Of).Where(IsDue).ToList();
        if (missing.Count == 0)
        {
            return isChanged;
        }

        if (FindIndex(table) is not { } index)
        {
            return MakeDevice(missing.Count) || isChanged;
        }

        // On disk before it is on the interface: whoever kills us in between leaves nothing behind that nobody knows. But for what stands there already and does
        // not count: that is somebody else's, and would be taken off as our own after such a kill.
        HashSet<SharedAddress> others = [.. table.Addresses(null).Where(address => address.Interface == (device ?? Loopback)).Select(address => new SharedAddress(address.Address, address.PrefixLength))];
        HashSet<SharedAddress> remembered = [.. _own, .. missing.Where(address => !others.Contains(address))];
        Remember(remembered);
        foreach (var address in missing)
        {
            isChanged |= Put(index, address);
        }

        if (!remembered.SetEquals(_own))
        {
            Remember(_own);
        }

        return isChanged;
    }

    /// <summary>At the end, when nothing is announced any more.</summary>
    public void TakeOffAll(InterfaceTable table)
    {
        if (_own.Count > 0 && FindIndex(table) is { } index)
        {
            var count = _own.RemoveWhere(address => Remove(index, address));
            TakenOffAll(logger, count, device ?? Loopback);
        }
        else
        {
            _own.Clear();
        }

        // What stays is known as the agent's own at the next start, which tries again.
        Remember(_own);
    }

    private bool TakeOff(InterfaceTable table, HashSet<SharedAddress> wanted, ImmutableHashSet<IPNetwork> present)
    {
        var isChanged = false;
        foreach (var address in _own.Where(address => !wanted.Contains(address)).ToList())
        {
            if (!_leaving.TryGetValue(address, out var since))
            {
                // Announced no more after this look.
                _leaving.Add(address, time.GetTimestamp());
                LookAgainIn(TakenOffAfter);
                isChanged = true;
            }
            else if (TakenOffAfter - time.GetElapsedTime(since) is var left && left > TimeSpan.Zero)
            {
                LookAgainIn(left);
            }
            else if (SharedPrefix.Of(address.Address, address.Length) is var prefix && !present.Contains(prefix) && MayBeAnnounced(prefix))
            {
                // Another address of the prefix would be reason enough to announce it, and this one is not needed for that.
                LookAgainIn(TakenOffAfter);
            }
            else if (FindIndex(table) is { } index && !Remove(index, address))
            {
                // Still on the interface and still on its way: it is not announced for that, and not left as somebody else's either.
                LookAgainIn(PutBackEvery);
            }
            else
            {
                NotWanted(logger, address, device ?? Loopback);
                _own.Remove(address);
                _leaving.Remove(address);
                Remember(_own);
                isChanged = true;
            }
        }

        foreach (var back in _leaving.Keys.Where(wanted.Contains).ToList())
        {
            _leaving.Remove(back);
            isChanged = true;
        }

        return isChanged;
    }

    // An address with trouble is still missing, or still on its way.
    private bool IsOpen(string told, ImmutableHashSet<IPNetwork> wanted, ImmutableHashSet<IPNetwork> present)
    {
        foreach (var prefix in wanted)
        {
            if (!present.Contains(prefix) && SharedAddress.Of(prefix).ToString() == told)
            {
                return true;
            }
        }

        foreach (var leaving in _leaving.Keys)
        {
            if (leaving.ToString() == told)
            {
                return true;
            }
        }

        return false;
    }

    // One that was put on and is gone was taken off by somebody: at once the first time, and then not more often than this.
    private bool IsDue(SharedAddress address)
    {
        if (!_own.Contains(address) || !_putBack.TryGetValue(address, out var last) || time.GetElapsedTime(last) is var elapsed && elapsed >= PutBackEvery)
        {
            return true;
        }

        LookAgainIn(PutBackEvery - elapsed);
        return false;
    }

    private bool Put(int index, SharedAddress address)
    {
        var error = kernel.Add(index, address);
        if (error != 0)
        {
            // What was in the way may go without a word of the kernel about interfaces: a module that is loaded, a sysctl, a table that was full.
            LookAgainIn(PutBackEvery);
            _troubles[address.ToString()] = $"{address} is not announced: it cannot be added to {device ?? Loopback} ({Marshal.GetPInvokeErrorMessage(error)})";
        }

        switch (error)
        {
            case 0 when !_own.Add(address) && !_unseen!.Remove(address):
                _putBack[address] = time.GetTimestamp();
                PutBack(logger, address, device ?? Loopback);
                break;
            case 0:
                Added(logger, address, device ?? Loopback);
                break;
            case NetlinkException.Exists:
                if (_said.Add((address.ToString(), error)))
                {
                    DoesNotCount(logger, address, device ?? Loopback);
                }

                break;
            case NetlinkException.NotPermitted:
                if (_said.Add(("", error)))
                {
                    NotPermitted(logger, address, device ?? Loopback);
                }

                break;
            default:
                if (_said.Add((address.ToString(), error)))
                {
                    CannotAdd(logger, address, device ?? Loopback, Marshal.GetPInvokeErrorMessage(error));
                }

                break;
        }

        return error == 0;
    }

    private bool Remove(int index, SharedAddress address)
    {
        var error = kernel.Remove(index, address);
        if (error is 0 or NetlinkException.NotAvailable)
        {
            return true;
        }

        var problem = Marshal.GetPInvokeErrorMessage(error);
        _troubles[address.ToString()] = $"{address} is no longer wanted here and not announced, but stays on {device ?? Loopback}: it cannot be taken off ({problem})";
        if (_said.Add(($"-{address}", error)))
        {
            CannotRemove(logger, address, device ?? Loopback, problem);
        }

        return false;
    }

    private int? FindIndex(InterfaceTable table) => device is null ? table.Loopback : table.IndexOf(device);

    private bool MakeDevice(int missing)
    {
        var error = device is null ? NetlinkException.NotSupported : kernel.AddDummy(device);
        if (error == 0)
        {
            DummyMade(logger, device!);
            return true;
        }

        LookAgainIn(PutBackEvery);
        var name = device ?? Loopback;
        _troubles[name] = $"there is no interface {name} and none can be made ({Marshal.GetPInvokeErrorMessage(error)}): {missing} {(missing == 1 ? "address is" : "addresses are")} not added and not announced";
        if (_said.Add((device ?? Loopback, error)))
        {
            NoDevice(logger, device ?? Loopback, Marshal.GetPInvokeErrorMessage(error), missing);
        }

        return false;
    }

    private void LookAgainIn(TimeSpan time) => LookAgain = LookAgain is { } earlier && earlier < time ? earlier : time;

    private void Remember(IEnumerable<SharedAddress> addresses)
    {
        var problem = store.Save(device ?? Loopback, addresses);
        if (problem is not null && !_cannotRemember)
        {
            CannotRemember(logger, problem);
        }

        _cannotRemember = problem is not null;
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "{Address} added to {Device}")]
    private static partial void Added(ILogger logger, SharedAddress address, string device);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{Address} was taken off {Device} by somebody else, added again; with --addresses watched it would stay away")]
    private static partial void PutBack(ILogger logger, SharedAddress address, string device);

    [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "{Address} is no longer wanted here and not announced any more, taken off {Device}")]
    private static partial void NotWanted(ILogger logger, SharedAddress address, string device);

    [LoggerMessage(EventId = 4, Level = LogLevel.Information, Message = "{Count} addresses that the agent had added are taken off {Device} again, after the goodbye to the neighbors")]
    private static partial void TakenOffAll(ILogger logger, int count, string device);

    [LoggerMessage(EventId = 5, Level = LogLevel.Error, Message = "{Address} is not announced: the agent may not add it to {Device}. Give it CAP_NET_ADMIN (AmbientCapabilities=CAP_NET_ADMIN in its unit) or run it as root; or add it by hand (ip addr add {Address} dev {Device}). Likewise every other address that is missing")]
    private static partial void NotPermitted(ILogger logger, SharedAddress address, string device);

    [LoggerMessage(EventId = 6, Level = LogLevel.Error, Message = "{Address} is not announced: it cannot be added to {Device}: {Problem}")]
    private static partial void CannotAdd(ILogger logger, SharedAddress address, string device, string problem);

    [LoggerMessage(EventId = 7, Level = LogLevel.Error, Message = "{Address} is not announced: {Device} has it already, but it does not count: the interface is down, another host has the address, or it stands there with another length (ip addr show dev {Device})")]
    private static partial void DoesNotCount(ILogger logger, SharedAddress address, string device);

    [LoggerMessage(EventId = 8, Level = LogLevel.Error, Message = "{Address} stays on {Device}, not announced: it cannot be taken off: {Problem}. It is tried again; by hand: ip addr del {Address} dev {Device}")]
    private static partial void CannotRemove(ILogger logger, SharedAddress address, string device, string problem);

    [LoggerMessage(EventId = 9, Level = LogLevel.Information, Message = "Dummy interface {Device} made; it stays when the agent ends, without addresses")]
    private static partial void DummyMade(ILogger logger, string device);

    [LoggerMessage(EventId = 10, Level = LogLevel.Error, Message = "There is no interface {Device}, and the kernel does not make a dummy one ({Problem}): {Count} addresses are not added and not announced. Name an interface that exists, or leave --address-device out: then they are put on loopback")]
    private static partial void NoDevice(ILogger logger, string device, string problem, int count);

    [LoggerMessage(EventId = 11, Level = LogLevel.Warning, Message = "Which addresses the agent has added cannot be kept on disk ({Problem}): if it is killed, they stay where they are")]
    private static partial void CannotRemember(ILogger logger, string problem);
}
