using System.Net;
using FailoverHub.Agent.Addresses.Netlink;

namespace FailoverHub.Agent.Tests.Addresses.Netlink;

/// <summary>The answer of a kernel that is played, to the end and again where it has to be.</summary>
public sealed class NetlinkReaderTests
{
    private readonly Queue<byte[]> _answers = [];
    private int _asked;

    [Fact]
    public void AnswerInSeveralParts_IsReadToItsEnd()
    {
        Answer();

        var table = Read();

        Assert.True(table.IsCertain);
        Assert.Equal(1, table.Loopback);
        Assert.Contains(table.Addresses(null), address => address.Address.Equals(IPAddress.Parse("203.0.113.10")));
        Assert.Empty(_answers);
    }

    [Fact]
    public void TablesChangeWhileTheyAreRead_IsAskedAgain()
    {
        Answer(interrupted: true);
        Answer();

        Assert.True(Read().IsCertain);
        Assert.Equal(4, _asked);
        Assert.Empty(_answers);
    }

    [Fact]
    public void TablesChangeAllTheTime_TheLastAnswerIsTaken_AndIsNotCertain()
    {
        for (var attempt = 0; attempt < NetlinkReader.MostAttempts; attempt++)
        {
            Answer(interrupted: true);
        }

        var table = Read();

        Assert.False(table.IsCertain);
        Assert.Contains(table.Addresses(null), address => address.Address.Equals(IPAddress.Parse("203.0.113.10")));
        Assert.Empty(_answers);
    }

    [Fact]
    public void DatagramThatDoesNotFit_IsAskedForAgainWithMoreRoom()
    {
        Answer();
        var first = _answers.Dequeue();
        var tooLong = new byte[NetlinkSocket.LargestDatagram + 100];
        first.CopyTo(tooLong, 0);
        BitConverter.TryWriteBytes(tooLong.AsSpan(first.Length), 50_000);
        Queue<byte[]> rest = new(_answers);
        _answers.Clear();
        _answers.Enqueue(tooLong);
        while (rest.TryDequeue(out var answer))
        {
            _answers.Enqueue(answer);
        }

        Answer();

        Assert.True(Read().IsCertain);
        Assert.Empty(_answers);
    }

    [Fact]
    public void Refused_IsSaidWithTheKernelsReason()
    {
        byte[] refusal = [20, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
        _answers.Enqueue(refusal);

        Assert.Equal(NetlinkException.NotPermitted, Assert.Throws<NetlinkException>(Read).Error);
    }

    [Fact]
    public void Nonsense_IsAnErrorOfThisReading()
    {
        _answers.Enqueue([1, 2, 3]);

        Assert.Throws<IOException>(Read);
    }

    [Fact]
    public void ThisKernel_AnswersAsWithoutNetlink()
    {
        var byNetlink = NetlinkReader.Read().Addresses(null).Select(address => (address.Interface, address.Address, address.PrefixLength, address.IsLoopback, address.IsFromHardware));
        var without = InterfacesWithoutNetlink.Read().Addresses(null).Select(address => (address.Interface, address.Address, address.PrefixLength, address.IsLoopback, address.IsFromHardware));

        Assert.Contains(byNetlink, address => address.IsLoopback && address.Address.Equals(IPAddress.Loopback) && address.PrefixLength == 8);
        Assert.Equal(byNetlink.Order(), without.Order(), (a, b) => a.ToString() == b.ToString());
    }

    [Theory]
    [InlineData("20010db8e0011b8c0000000000000001 01 40 00 80       lo", "lo", "2001:db8:e001:1b8c::1", 64, AddressFlags.Permanent)]
    [InlineData("20010db8000700000000000000000009 03 40 00 c8     v0", "v0", "2001:db8:7::9", 64, AddressFlags.Permanent | AddressFlags.Tentative | AddressFlags.DuplicateFound)]
    public void LineOfTheKernelsFile_IsRead(string line, string name, string address, int length, object flags)
    {
        var read = Assert.NotNull(InterfacesWithoutNetlink.ParseIpv6(line));

        Assert.Equal((name, IPAddress.Parse(address), length, (AddressFlags)flags), (read.Name, read.Address.Ip, read.Address.PrefixLength, read.Address.Flags));
    }

    [Theory]
    [InlineData("")]
    [InlineData("20010db8e0011b8c000000000000000g 01 40 00 80 lo")]
    [InlineData("20010db8e0011b8c0000000000000001 01 90 00 80 lo")]
    [InlineData("20010db8e0011b8c0000000000000001 01 40 00 80")]
    public void AnythingElse_IsNot(string line) => Assert.Null(InterfacesWithoutNetlink.ParseIpv6(line));

    private InterfaceTable Read() => NetlinkReader.Read(
        _ => _asked++,
        buffer =>
        {
            var answer = _answers.Dequeue();
            answer.AsSpan(0, Math.Min(answer.Length, buffer.Length)).CopyTo(buffer);
            return answer.Length;
        });

    // The captured answers, with the number of the question that they answer now.
    private void Answer(bool interrupted = false)
    {
        var sequence = (uint)(_played++ * 2);
        foreach (var datagram in CapturedBytes.Links)
        {
            _answers.Enqueue(With(datagram, sequence + 1, interrupted));
        }

        foreach (var datagram in CapturedBytes.Addresses)
        {
            _answers.Enqueue(With(datagram, sequence + 2, interrupted));
        }
    }

    private int _played;

    private static byte[] With(byte[] datagram, uint sequence, bool interrupted)
    {
        var copy = datagram.ToArray();
        for (var at = 0; at < copy.Length; at += BitConverter.ToInt32(copy, at))
        {
            BitConverter.TryWriteBytes(copy.AsSpan(at + 8), sequence);
            copy[at + 6] |= (byte)(interrupted ? 0x10 : 0);
        }

        return copy;
    }
}
