using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Addresses.Managed;
using FailoverHub.Agent.Addresses.Netlink;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Addresses.Managed;

public sealed class AddressKeeperTests : IDisposable
{
    private const string Ipv4 = "203.0.113.10/32";
    private const string Range = "2001:db8:e001:1b8c::/64";
    private const string InRange = "2001:db8:e001:1b8c::1/64";

    private readonly TemporaryDirectory _directory = new();
    private readonly PlayedKernel _kernel = new();
    private readonly FakeTimeProvider _time = new();
    private readonly RecordedLog<AddressKeeper> _log = new();
    private string _place = "this start";
    private AddressKeeper _keeper;

    public AddressKeeperTests() => _keeper = New();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Missing_IsAdded_AndARangeAsItsFirstAddress()
    {
        Assert.True(Keep(Ipv4, Range));
        Assert.False(Keep(Ipv4, Range));

        Assert.Equal([InRange, Ipv4], _kernel.Addresses.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ThereAlready_IsLeftAlone_AndStaysAtTheEnd()
    {
        _kernel.Addresses.Add(Ipv4);

        Assert.False(Keep(Ipv4));
        _keeper.TakeOffAll(_kernel.Table);

        Assert.Equal([Ipv4], _kernel.Addresses);
        Assert.Empty(_kernel.Calls);
    }

    [Fact]
    public void End_TakesOffWhatItAdded_AndNothingElse()
    {
        _kernel.Addresses.Add("198.51.100.1/32");
        Keep(Ipv4, Range, "198.51.100.1/32");

        _keeper.TakeOffAll(_kernel.Table);

        Assert.Equal(["198.51.100.1/32"], _kernel.Addresses);
    }

    [Fact]
    public void Killed_KnowsItsOwnAgain()
    {
        Keep(Ipv4);
        _keeper = New();

        Assert.False(Keep(Ipv4));
        _keeper.TakeOffAll(_kernel.Table);

        Assert.Empty(_kernel.Addresses);
        Assert.Empty(New().Own);
    }

    [Fact]
    public void KilledBeforeItCouldAdd_AddsAtTheNextStart()
    {
        _kernel.Killed = true;
        Assert.Throws<InvalidOperationException>(() => Keep(Ipv4));
        Assert.Contains(Ipv4, File.ReadAllText(_directory.At("addresses.json")), StringComparison.Ordinal);
        _kernel.Killed = false;
        _keeper = New();

        Assert.True(Keep(Ipv4));
        Assert.Equal([Ipv4], _kernel.Addresses);

        // Nobody has taken it off: it was never there.
        Assert.Empty(Problems);
        _kernel.Addresses.Clear();
        Assert.True(Keep(Ipv4));
        Assert.Contains("was taken off lo by somebody else", Assert.Single(Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void KilledWhileItCouldNotAddWhatSomebodyElseHasThere_DoesNotTakeItOffLater()
    {
        // On the interface without counting: another host has it, or the interface is down.
        _kernel.Addresses.Add(InRange);
        _kernel.Shown = true;
        _kernel.Killed = true;
        Assert.Throws<InvalidOperationException>(() => _keeper.Keep(_kernel.Table, [IPNetwork.Parse(Range), IPNetwork.Parse(Ipv4)], []));
        _kernel.Killed = false;
        _keeper = New();
        Assert.DoesNotContain(_keeper.Own, address => address.ToString() == InRange);

        Keep(Range, Ipv4);
        _keeper.TakeOffAll(_kernel.Table);

        Assert.Equal([InRange], _kernel.Addresses);
    }

    [Fact]
    public void MachineWasStartedAnew_WhatIsThereNowIsSomebodyElses()
    {
        Keep(Ipv4);
        _place = "another start";
        _keeper = New();

        Keep(Ipv4);
        _keeper.TakeOffAll(_kernel.Table);

        Assert.Equal([Ipv4], _kernel.Addresses);
    }

    [Fact]
    public void FileIsDamaged_NothingIsItsOwn()
    {
        Keep(Ipv4);
        File.WriteAllText(_directory.At("addresses.json"), "{\"place\":");

        Assert.Empty(New().Own);
    }

    [Fact]
    public void NoLongerWanted_IsFirstNoLongerAnnounced_AndTakenOffAfterAWhile()
    {
        Keep(Ipv4, Range);

        Assert.True(Keep(Range));
        Assert.True(_keeper.IsLeaving(new InterfaceAddress("lo", true, IPAddress.Parse("203.0.113.10"), 32)));
        Assert.False(_keeper.IsLeaving(new InterfaceAddress("lo", true, IPAddress.Parse("2001:db8:e001:1b8c::1"), 64)));
        Assert.Equal(AddressKeeper.TakenOffAfter, _keeper.LookAgain);
        Assert.Equal([InRange, Ipv4], _kernel.Addresses.Order(StringComparer.Ordinal));

        _time.Advance(AddressKeeper.TakenOffAfter);
        Assert.True(Keep(Range));
        Assert.Equal([InRange], _kernel.Addresses);
        Assert.Null(_keeper.LookAgain);
    }

    /// <summary>A reload reaches the interfaces at once, and the node when its disk lets it: the neighbors sent traffic for what was gone already.</summary>
    [Fact]
    public void NoLongerWanted_ButStillAnnounced_StaysHoweverLongThatTakes()
    {
        var announced = true;
        _keeper.MayBeAnnounced = prefix => announced && prefix.Equals(IPNetwork.Parse(Ipv4));
        Keep(Ipv4, Range);
        Gone(Ipv4);

        for (var second = 0; second < 10; second++)
        {
            _time.Advance(AddressKeeper.TakenOffAfter);
            Assert.False(Gone(Ipv4));
            Assert.Equal(AddressKeeper.TakenOffAfter, _keeper.LookAgain);
        }

        Assert.Contains(Ipv4, _kernel.Addresses);
        announced = false;
        Assert.True(Gone(Ipv4));
        Assert.Equal([InRange], _kernel.Addresses);
    }

    [Fact]
    public void NoLongerWanted_AndAnnouncedForAnotherAddressOfThePrefix_IsTakenOff()
    {
        _keeper.MayBeAnnounced = _ => true;
        Keep(Range);
        Keep();
        _time.Advance(AddressKeeper.TakenOffAfter);

        Assert.True(_keeper.Keep(_kernel.Table, [], [IPNetwork.Parse(Range)]));
        Assert.Empty(_kernel.Addresses);
    }

    [Fact]
    public void WantedAgainBeforeItIsTakenOff_Stays()
    {
        Keep(Ipv4);
        Keep();

        Assert.True(Keep(Ipv4));
        _time.Advance(AddressKeeper.TakenOffAfter);
        Keep(Ipv4);

        Assert.Equal([Ipv4], _kernel.Addresses);
        Assert.False(_keeper.IsLeaving(new InterfaceAddress("lo", true, IPAddress.Parse("203.0.113.10"), 32)));
    }

    [Fact]
    public void SomebodyElseTakesItOff_ItIsPutBackAtOnce_AndNotMoreOftenThanNowAndThen()
    {
        Keep(Ipv4);

        _kernel.Addresses.Clear();
        Assert.True(Keep(Ipv4));
        _kernel.Addresses.Clear();
        Assert.False(Keep(Ipv4));
        Assert.Equal(AddressKeeper.PutBackEvery, _keeper.LookAgain);

        _time.Advance(AddressKeeper.PutBackEvery);
        Assert.True(Keep(Ipv4));
        Assert.Equal([Ipv4], _kernel.Addresses);
    }

    [Fact]
    public void NotPermitted_IsSaidOnce_WithWhatToDo()
    {
        _kernel.Error = NetlinkException.NotPermitted;

        Assert.False(Keep(Ipv4, Range));
        Assert.False(Keep(Ipv4, Range));

        Assert.Contains("CAP_NET_ADMIN", Assert.Single(Problems), StringComparison.Ordinal);
        Assert.Empty(_keeper.Own);
        Assert.Empty(New().Own);
    }

    [Fact]
    public void ThereButDoesNotCount_IsSaid_AndIsNotItsOwn()
    {
        _kernel.Error = NetlinkException.Exists;

        Keep(Ipv4);

        Assert.Contains("it does not count", Assert.Single(Problems), StringComparison.Ordinal);
        Assert.Empty(_keeper.Own);
    }

    /// <summary>It was announced again before as if it were somebody else's: nobody had taken it off, and nobody said so.</summary>
    [Fact]
    public void CannotBeTakenOff_IsSaid_IsNotAnnounced_AndIsTriedAgain()
    {
        Keep(Ipv4);
        _kernel.RemoveError = NetlinkException.NotPermitted;
        Keep();
        _time.Advance(AddressKeeper.TakenOffAfter);

        Assert.False(Keep());
        Assert.True(_keeper.IsLeaving(new InterfaceAddress("lo", true, IPAddress.Parse("203.0.113.10"), 32)));
        Assert.Contains($"{Ipv4} is no longer wanted here and not announced, but stays on lo", _keeper.Trouble, StringComparison.Ordinal);
        Assert.Equal(AddressKeeper.PutBackEvery, _keeper.LookAgain);
        _time.Advance(AddressKeeper.PutBackEvery);
        Keep();
        Assert.Contains("ip addr del", Assert.Single(Problems), StringComparison.Ordinal);

        _kernel.RemoveError = 0;
        _time.Advance(AddressKeeper.PutBackEvery);
        Assert.True(Keep());
        Keep();

        Assert.Empty(_kernel.Addresses);
        Assert.Null(_keeper.Trouble);
        Assert.Null(_keeper.LookAgain);
    }

    [Fact]
    public void CannotBeTakenOffAtTheEnd_IsKnownAsItsOwnAtTheNextStart()
    {
        Keep(Ipv4, Range);
        _kernel.RemoveError = NetlinkException.NotPermitted;

        _keeper.TakeOffAll(_kernel.Table);

        Assert.Equal(2, New().Own.Count);
        Assert.Equal(2, Problems.Count());
    }

    [Fact]
    public void CannotBeAdded_IsTrouble_UntilItIsThere()
    {
        _kernel.Error = NetlinkException.NotPermitted;
        Keep(Ipv4, Range);
        Assert.Contains("; and 1 more", _keeper.Trouble, StringComparison.Ordinal);

        _kernel.Error = 0;
        Keep(Ipv4, Range);
        Keep(Ipv4, Range);

        Assert.Null(_keeper.Trouble);
    }

    [Theory]
    [InlineData(NetlinkException.NotPermitted)]
    [InlineData(NetlinkException.Exists)]
    [InlineData(105)]
    public void CannotBeAdded_IsTriedAgain_WithoutAnyChangeOfTheInterfaces(int error)
    {
        _kernel.Error = error;
        Assert.False(Keep(Ipv4));
        Assert.Equal(AddressKeeper.PutBackEvery, _keeper.LookAgain);

        _kernel.Error = 0;
        _time.Advance(AddressKeeper.PutBackEvery);
        Assert.True(Keep(Ipv4));

        Assert.Equal([Ipv4], _kernel.Addresses);
        Assert.Null(_keeper.LookAgain);
    }

    [Fact]
    public void NoDummyCanBeMade_IsTriedAgain_WithoutAnyChangeOfTheInterfaces()
    {
        _keeper = New("shared0");
        _kernel.Error = NetlinkException.NotSupported;
        Assert.False(Keep(Ipv4));
        Assert.Equal(AddressKeeper.PutBackEvery, _keeper.LookAgain);

        _kernel.Error = 0;
        _time.Advance(AddressKeeper.PutBackEvery);
        Assert.True(Keep(Ipv4));
        Assert.True(Keep(Ipv4));

        Assert.Equal([Ipv4], _kernel.Addresses);
        Assert.Null(_keeper.LookAgain);
    }

    [Fact]
    public void NamedInterfaceIsNotThere_ADummyIsMade()
    {
        _keeper = New("shared0");

        Assert.True(Keep(Ipv4));
        Assert.True(Keep(Ipv4));

        Assert.Equal(["dummy shared0", $"add 2 {Ipv4}"], _kernel.Calls);
    }

    [Fact]
    public void NamedInterfaceIsNotThere_AndTheKernelMakesNone_IsSaidOnce()
    {
        _keeper = New("shared0");
        _kernel.Error = NetlinkException.NotSupported;

        Assert.False(Keep(Ipv4));
        Assert.False(Keep(Ipv4));

        Assert.Contains("There is no interface shared0", Assert.Single(Problems), StringComparison.Ordinal);
        Assert.StartsWith("there is no interface shared0 and none can be made", _keeper.Trouble, StringComparison.Ordinal);

        _kernel.Error = 0;
        Keep(Ipv4);
        Keep(Ipv4);
        Assert.Null(_keeper.Trouble);
    }

    [Fact]
    public void DiskIsFull_AddressesAreAddedAllTheSame_AndItIsSaid()
    {
        Directory.CreateDirectory(_directory.At("addresses.json"));

        Assert.True(Keep(Ipv4));

        Assert.Equal([Ipv4], _kernel.Addresses);
        Assert.Single(Problems, line => line.Contains("cannot be kept on disk", StringComparison.Ordinal));
    }

    private AddressKeeper New(string? device = null) => new(device, _kernel, new OwnAddressStore(_directory.At("addresses.json"), _place), _time, _log);

    private IEnumerable<string> Problems => _log.Lines.Seen.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Text);

    private bool Keep(params string[] wanted)
    {
        ImmutableHashSet<IPNetwork> present = [.. _kernel.Addresses.Select(address => address == InRange ? IPNetwork.Parse(Range) : IPNetwork.Parse(address))];
        return _keeper.Keep(_kernel.Table, [.. wanted.Select(IPNetwork.Parse)], present);
    }

    // As it is read: what is on its way off counts as gone.
    private bool Gone(string address) => _keeper.Keep(_kernel.Table, [IPNetwork.Parse(Range)], [.. new[] { Range, Ipv4 }.Where(other => other != address).Select(IPNetwork.Parse)]);

    private sealed class PlayedKernel : IAddressWriter
    {
        private bool _hasDummy;

        public HashSet<string> Addresses { get; } = [];

        public List<string> Calls { get; } = [];

        public int Error { get; set; }

        public int RemoveError { get; set; }

        public bool Killed { get; set; }

        /// <summary>The table has the addresses as well.</summary>
        public bool Shown { get; set; }

        public InterfaceTable Table => new(
        [
            new NetlinkMessage.Link(0, false, 1, "lo", LinkFlags.Up | LinkFlags.Loopback, 0),
            .. Shown ? (NetlinkMessage[])[.. Addresses.Select(On)] : [],
            .. _hasDummy ? (NetlinkMessage[])[new NetlinkMessage.Link(0, false, 2, "shared0", LinkFlags.Up, 0)] : [],
        ]);

        private static NetlinkMessage.Address On(string text)
        {
            var network = text.Split('/');
            return new NetlinkMessage.Address(0, false, 1, IPAddress.Parse(network[0]), int.Parse(network[1], System.Globalization.CultureInfo.InvariantCulture), AddressFlags.Permanent, 0);
        }

        public int Add(int index, SharedAddress address)
        {
            Calls.Add($"add {index} {address}");
            if (Killed)
            {
                throw new InvalidOperationException("killed");
            }

            return Error != 0 ? Error : Addresses.Add(address.ToString()) ? 0 : NetlinkException.Exists;
        }

        public int Remove(int index, SharedAddress address)
        {
            Calls.Add($"remove {index} {address}");
            return RemoveError != 0 ? RemoveError : Addresses.Remove(address.ToString()) ? 0 : NetlinkException.NotAvailable;
        }

        public int AddDummy(string name)
        {
            Calls.Add($"dummy {name}");
            _hasDummy |= Error == 0;
            return Error;
        }
    }
}
