using System;
using System.Collections.Generic;

namespace Vivant
{
    /// <summary>Euler angles of a Transform, in degrees.</summary>
    public struct Turn
    {
        public float X;
        public float Y;
        public float Z;
    }

    /// <summary>
    /// Motion in Unity's frame: left-handed, x to the character's right, y up, z forward, so that a face turned to its left, or
    /// lifted, has a negative angle.
    /// </summary>
    public static class Turns
    {
        /// <summary>Of the controls.</summary>
        const float MostGazeDeg = 30f;
        /// <summary>Eye rotation that one full eyeLook weight stands for.</summary>
        const float FullLookDeg = 30f;

        public static Turn OfHead(V1.Motion motion)
        {
            var pose = motion.Pose ?? new V1.Pose();
            return new Turn { X = -pose.PitchDeg, Y = -pose.YawDeg, Z = pose.RollDeg };
        }

        /// <summary>Of an eye, relative to the head.</summary>
        public static Turn OfEyes(V1.Motion motion)
        {
            return new Turn { X = -motion.GazePitchDeg, Y = -motion.GazeYawDeg };
        }

        /// <summary>
        /// Asks for a look at a point that lies so far to the right of a face's own, up and forward of it. Behind it there is
        /// nothing to look at: straight on.
        /// </summary>
        public static void LookAt(V1.Controls controls, float right, float up, float forward)
        {
            bool isBefore = forward > 0;
            controls.GazeYawDeg = isBefore ? Angle(-right, forward) : 0;
            controls.GazePitchDeg = isBefore ? Angle(up, (float)Math.Sqrt(right * right + forward * forward)) : 0;
        }

        /// <summary>
        /// Weights by which a mesh shows the tongue, and the gaze unless its eyes are turned; <paramref name="into"/> has one for
        /// each name.
        /// </summary>
        public static void Weights(V1.Motion motion, IList<string> names, float[] into, bool showsGaze)
        {
            float yaw = showsGaze ? motion.GazeYawDeg / FullLookDeg : 0, pitch = showsGaze ? motion.GazePitchDeg / FullLookDeg : 0;
            for (int i = 0; i < into.Length; i++) into[i] = Math.Max(0f, Math.Min(1f, motion.Weights[i] + Math.Max(0f, More(names[i], yaw, pitch, motion.TongueOut))));
        }

        static float More(string name, float yaw, float pitch, float tongueOut)
        {
            switch (name)
            {
                case "eyeLookOutLeft": case "eyeLookInRight": return yaw;
                case "eyeLookInLeft": case "eyeLookOutRight": return -yaw;
                case "eyeLookUpLeft": case "eyeLookUpRight": return pitch;
                case "eyeLookDownLeft": case "eyeLookDownRight": return -pitch;
                case "tongueOut": return tongueOut;
                default: return 0;
            }
        }

        static float Angle(float across, float along)
        {
            return (float)Math.Max(-MostGazeDeg, Math.Min(MostGazeDeg, Math.Atan2(across, along) * 180 / Math.PI));
        }
    }
}
