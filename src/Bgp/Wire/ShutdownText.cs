using System.Text;

namespace FailoverHub.Bgp.Wire;

// The text of Cease/Administrative Shutdown and Administrative Reset (RFC 9003 2):   length (1) | UTF-8
internal static class ShutdownText
{
    public const int MaxOctets = 255;

    // Cut at a character, so that what arrives is whole UTF-8.
    public static ReadOnlyMemory<byte> Write(string text)
    {
        if (text.Length == 0)
        {
            return default;
        }

        var data = new byte[1 + MaxOctets];
        var length = 1;
        // A lone surrogate comes out as U+FFFD: Rune never writes anything but valid UTF-8.
        foreach (var rune in text.EnumerateRunes())
        {
            if (length + rune.Utf8SequenceLength > data.Length)
            {
                break;
            }

            length += rune.EncodeToUtf8(data.AsSpan(length));
        }

        data[0] = (byte)(length - 1);
        return data.AsMemory(0, length);
    }

    // Null: no text, or none that can be shown (RFC 9003 2 has it ignored). Control characters become spaces, because this goes
    // to logs and terminals and comes from somebody else.
    public static string? Read(ReadOnlySpan<byte> data)
    {
        if (data.Length < 2 || data[0] == 0 || data[0] > data.Length - 1)
        {
            return null;
        }

        var text = Encoding.UTF8.GetString(data.Slice(1, data[0]));
        var clean = string.Create(text.Length, text, static (into, from) =>
        {
            for (var i = 0; i < from.Length; i++)
            {
                into[i] = char.IsControl(from[i]) ? ' ' : from[i];
            }
        }).Trim();
        return clean.Length == 0 ? null : clean;
    }
}
