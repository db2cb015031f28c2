using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Checks.Commands;

/// <summary>A list of texts as C has it: pointers to bytes that end in zero, and a null pointer behind them.</summary>
internal sealed unsafe class NativeTexts : IDisposable
{
    private readonly byte** _pointers;
    private readonly int _count;

    public NativeTexts(IReadOnlyList<string> texts)
    {
        _count = texts.Count;
        _pointers = (byte**)NativeMemory.AllocZeroed((nuint)_count + 1, (nuint)sizeof(byte*));
        for (var i = 0; i < _count; i++)
        {
            _pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[i]);
        }
    }

    public byte** Pointers => _pointers;

    public void Dispose()
    {
        for (var i = 0; i < _count; i++)
        {
            Marshal.FreeCoTaskMem((nint)_pointers[i]);
        }

        NativeMemory.Free(_pointers);
    }
}
