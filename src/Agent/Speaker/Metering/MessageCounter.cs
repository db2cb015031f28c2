using System.Buffers.Binary;

namespace FailoverHub.Agent.Speaker.Metering;

/// <summary>
/// Counts the BGP messages in a stream that comes in pieces of any size, by their length fields (RFC 4271 4.1) alone. What is wrong with
/// a message is the session's business; a length that cannot be only makes the count end.
/// </summary>
internal struct MessageCounter
{
    private const int LengthOffset = 16;
    private const int HeaderLength = 19;

    private int _position;
    private int _length;
    private bool _lost;

    public ulong Count { get; private set; }

    /// <summary>The count goes on, with a new connection's stream.</summary>
    public void StartOver() => (_position, _length, _lost) = (0, 0, false);

    public void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && !_lost)
        {
            if (_position < LengthOffset + sizeof(ushort))
            {
                TakeHeader(ref bytes);
                continue;
            }

            var rest = Math.Min(_length - _position, bytes.Length);
            bytes = bytes[rest..];
            _position += rest;
            if (_position == _length)
            {
                Count++;
                _position = 0;
            }
        }
    }

    private void TakeHeader(ref ReadOnlySpan<byte> bytes)
    {
        if (_position == 0 && bytes.Length >= LengthOffset + sizeof(ushort))
        {
            _length = BinaryPrimitives.ReadUInt16BigEndian(bytes[LengthOffset..]);
            _position = LengthOffset + sizeof(ushort);
            bytes = bytes[_position..];
        }
        else
        {
            // A header in pieces: rare, so byte by byte.
            _length = _position < LengthOffset ? 0 : (_length << 8) | bytes[0];
            _position++;
            bytes = bytes[1..];
        }

        _lost = _position == LengthOffset + sizeof(ushort) && _length < HeaderLength;
    }
}
