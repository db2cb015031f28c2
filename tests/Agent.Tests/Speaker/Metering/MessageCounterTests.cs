using CsCheck;
using FailoverHub.Agent.Speaker.Metering;

namespace FailoverHub.Agent.Tests.Speaker.Metering;

public sealed class MessageCounterTests
{
    [Fact]
    public void Messages_InPiecesOfAnySize_AreCounted()
    {
        Gen.Select(Gen.Int[19, 300].List[0, 12], Gen.Int[1, 40].List[1, 60]).Sample((lengths, pieces) =>
        {
            ReadOnlySpan<byte> stream = lengths.SelectMany(Message).ToArray();
            var counter = default(MessageCounter);
            for (var piece = 0; !stream.IsEmpty; piece++)
            {
                var size = Math.Min(pieces[piece % pieces.Count], stream.Length);
                counter.Add(stream[..size]);
                stream = stream[size..];
            }

            return counter.Count == (ulong)lengths.Count;
        });
    }

    [Fact]
    public void RandomBytes_OnlyEndTheCount()
    {
        Gen.Byte.Array.Sample(bytes =>
        {
            var counter = default(MessageCounter);
            counter.Add(bytes);
            return counter.Count <= (ulong)bytes.Length / 19;
        });
    }

    [Fact]
    public void NewConnection_TheCountGoesOn()
    {
        var counter = default(MessageCounter);
        counter.Add(Message(19));
        counter.Add(Message(19).AsSpan(0, 10));
        counter.StartOver();
        counter.Add(Message(23));

        Assert.Equal(2ul, counter.Count);
    }

    private static byte[] Message(int length)
    {
        var message = new byte[length];
        message.AsSpan(0, 16).Fill(0xff);
        (message[16], message[17], message[18]) = ((byte)(length >> 8), (byte)length, 4);
        return message;
    }
}
